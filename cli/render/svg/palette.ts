/**
 * How pictures look: colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008), for light
 * and dark surroundings. What a colour says is also written, hatched or crossed.
 */

/** So many nodes have colours of their own; further ones begin anew. */
export const nodeColours = 6;

export function nodeClass(index: number): string {
  return `node${index % nodeColours}`;
}

const light = {
  ground: "#ffffff",
  panel: "#f6f7f9",
  ink: "#1c2430",
  muted: "#5d6878",
  faint: "#c5ccd6",
  message: "#8793a3",
  fault: "#b45309",
  faultFill: "#f59e0b",
  bad: "#c8102e",
  good: "#18794e",
  nodes: ["#0072b2", "#d98a00", "#00875f", "#a8577e", "#3a9bd9", "#8a6d00"],
};

const dark: typeof light = {
  ground: "#12161c",
  panel: "#1a2029",
  ink: "#e6ebf2",
  muted: "#9aa7b8",
  faint: "#3b4554",
  message: "#7b8798",
  fault: "#fbbf24",
  faultFill: "#f59e0b",
  bad: "#ff5c72",
  good: "#4ade80",
  nodes: ["#4db1e8", "#f0b13c", "#35c79a", "#e08fb6", "#8fcbf5", "#d4b93c"],
};

function variables(theme: typeof light): string {
  const { nodes, ...rest } = theme;
  const plain = Object.entries(rest).map(([name, value]) => `--${name}:${value}`);
  return [...plain, ...nodes.map((colour, index) => `--node${index}:${colour}`)].join(";");
}

/** Of `:root`, so that a picture and the page around it agree. */
export const themeStyle = `:root{color-scheme:light dark;${variables(light)}}
@media (prefers-color-scheme:dark){:root{${variables(dark)}}}`;

/** Of pictures. */
export const pictureStyle = `${themeStyle}
svg.picture{background:var(--ground);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
svg text{fill:var(--ink);font-size:12px}
svg .title{font-size:20px;font-weight:650}
svg .about,svg .caption,svg .tick{fill:var(--muted)}
svg .about{font-size:13px}
svg .caption{font-size:13px;font-weight:600}
svg .tick{font-size:11px}
svg .label{font-weight:600;font-size:13px}
svg .panel{fill:var(--panel)}
svg .grid{stroke:var(--faint);stroke-width:1;opacity:.55}
svg .axis{stroke:var(--faint);stroke-width:1}
svg .lane{stroke:var(--faint);stroke-width:2}
svg .paused{stroke:var(--fault);stroke-width:2;stroke-dasharray:2 5}
svg .gone{stroke:none}
svg .gonetext{fill:var(--muted);font-style:italic;font-size:11px}
svg .fault{fill:var(--faultFill);opacity:.1}
svg .fault.own{opacity:.22}
svg .faultedge{stroke:var(--fault);stroke-width:1;stroke-dasharray:3 3;opacity:.9}
svg .faulttext{fill:var(--fault);font-size:11.5px;font-weight:600}
svg .message{stroke:var(--message);stroke-width:1;fill:none}
svg .message.second{stroke-dasharray:5 3}
svg .message.third{stroke-dasharray:1.5 3}
svg .lost{stroke:var(--bad);stroke-width:1.1;opacity:.85}
svg .cross{stroke:var(--bad);stroke-width:1.8;stroke-linecap:round}
svg .arrow{fill:var(--message)}
svg .nobody{fill:none;stroke:var(--muted);stroke-dasharray:3 3}
svg .nobodytext{fill:var(--muted);font-style:italic;font-size:11px}
svg .bartext{fill:#fff;font-size:12px;font-weight:600}
svg .two{fill:var(--bad)}
svg .alarm{fill:var(--bad);stroke:var(--ground);stroke-width:1.2}
svg .decision{fill:var(--ink);stroke:var(--ground);stroke-width:1.2}
svg .number{fill:var(--ground);font-size:10px;font-weight:700}
svg .zoom{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-dasharray:5 3;opacity:.55}
svg .zoomtext{font-size:12px;font-weight:700}
svg .curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
svg .sentence{font-size:12px}
svg .good{fill:var(--good)}svg .bad{fill:var(--bad)}
${
  light.nodes.map((_, index) =>
    `svg .fill.node${index}{fill:var(--node${index})}svg .stroke.node${index}{stroke:var(--node${index})}`
  ).join("\n")
}
@media (prefers-color-scheme:dark){svg .bartext{fill:#0b0f14}}`;
