/**
 * The lint plugin of the house: keeps the pure folders pure, the runtime's own names in `lib/system`, and imports
 * pointing one way. What is allowed is data, in `house.ts`.
 *
 * It judges names, not flow: a name that a file declares itself is not the ambient one.
 */

import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import {
  folderOf,
  IMPURE_GLOBALS,
  mayImport,
  PURE_BUILTINS,
  PURE_FOLDERS,
  PURE_PACKAGES,
  RUNTIME_FOLDERS,
} from "./house.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Fixtures, wherever a copy of them lies, stand for the file whose path follows. */
const FIXTURE = /^.*\btests\/fixtures\/lint\/[^/]+\//;

/** Any node, seen as the tree that it is. */
type AnyNode = Deno.lint.Node & { readonly [key: string]: unknown };

/** Path from the root of the house; outside it, the path as it is. */
function housePath(filename: string): string {
  const inside = filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
  return inside.replace(FIXTURE, "");
}

function isPure(path: string): boolean {
  return PURE_FOLDERS.includes(folderOf(path));
}

/** Where an identifier is a mere label of its parent. */
const LABELS: Readonly<Record<string, string>> = {
  MemberExpression: "property",
  Property: "key",
  PropertyDefinition: "key",
  AccessorProperty: "key",
  MethodDefinition: "key",
  TSPropertySignature: "key",
  TSMethodSignature: "key",
  TSAbstractPropertyDefinition: "key",
  TSAbstractMethodDefinition: "key",
  TSEnumMember: "id",
  TSQualifiedName: "right",
  TSNamedTupleMember: "label",
  ImportSpecifier: "imported",
  ExportSpecifier: "exported",
  LabeledStatement: "label",
  BreakStatement: "label",
  ContinueStatement: "label",
};

function isLabel(node: AnyNode): boolean {
  const parent = node.parent as AnyNode;
  const label = LABELS[parent.type];
  return label !== undefined && parent[label] === node && parent.computed !== true;
}

/** Whether the identifier stands where a name is declared: import, variable, parameter, function, class, type. */
function isDeclaration(node: AnyNode): boolean {
  let child = node;
  let parent = node.parent as AnyNode;
  // Out of a pattern: `{ a: [b = 1, ...c] }`.
  while (
    /^(ArrayPattern|ObjectPattern|RestElement|TSParameterProperty)$/.test(parent.type) ||
    (parent.type === "AssignmentPattern" && parent.left === child) ||
    (parent.type === "Property" && parent.value === child &&
      (parent.parent as AnyNode).type === "ObjectPattern")
  ) {
    child = parent;
    parent = parent.parent as AnyNode;
  }
  if (Array.isArray(parent.params) && parent.params.includes(child)) return true;
  if (/^Import\w*Specifier$/.test(parent.type)) return parent.local === child;
  if (parent.type === "CatchClause") return parent.param === child;
  const declares = /^(VariableDeclarator|(Function|Class)(Declaration|Expression)|TS\w+Declaration)$/;
  return declares.test(parent.type) && parent.id === child;
}

/** Reports each reference to one of the names which the file does not declare itself. */
function banNames(
  context: Deno.lint.RuleContext,
  names: ReadonlySet<string>,
  message: (name: string) => string,
): Deno.lint.LintVisitor {
  const declared = new Set<string>();
  const references: AnyNode[] = [];
  return {
    Identifier(identifier) {
      const node = identifier as unknown as AnyNode;
      if (!names.has(identifier.name) || isLabel(node)) return;
      if (isDeclaration(node)) declared.add(identifier.name);
      else references.push(node);
    },
    "Program:exit"() {
      for (const node of references) {
        const name = String(node.name);
        if (!declared.has(name)) context.report({ node, message: message(name) });
      }
    },
  };
}

/** Calls back with each module that the file names, whatever the form of the import. */
function onImports(visit: (specifier: string, node: Deno.lint.Node) => void): Deno.lint.LintVisitor {
  const literal = (source: unknown, node: Deno.lint.Node) => {
    const value = (source as { value?: unknown } | null | undefined)?.value;
    if (typeof value === "string") visit(value, node);
  };
  return {
    ImportDeclaration: (node) => literal(node.source, node),
    ExportNamedDeclaration: (node) => literal(node.source, node),
    ExportAllDeclaration: (node) => literal(node.source, node),
    ImportExpression: (node) => literal(node.source, node),
    TSImportType: (node) => {
      const argument = (node as unknown as AnyNode).argument as AnyNode | undefined;
      literal(argument?.literal, node);
    },
  };
}

const pureGlobals: Deno.lint.Rule = {
  create(context) {
    if (!isPure(housePath(context.filename))) return {};
    const place = folderOf(housePath(context.filename));
    return {
      ...banNames(
        context,
        IMPURE_GLOBALS,
        (name) => `"${name}" is not for ${place}, which is pure: hand the fact in as an argument`,
      ),
      MemberExpression(node) {
        const { object, property } = node;
        const name = property.type === "Identifier"
          ? property.name
          : property.type === "Literal"
          ? property.value
          : null;
        if (object.type !== "Identifier" || object.name !== "Math" || name !== "random") return;
        context.report({ node, message: `"Math.random" is not for ${place}, which is pure: take a Prng` });
      },
      VariableDeclarator(node) {
        if (node.init?.type !== "Identifier" || node.init.name !== "Math") return;
        context.report({
          node,
          message: `"Math" may hide "Math.random" here: write "Math.…" where it is used`,
        });
      },
    };
  },
};

const pureAsync: Deno.lint.Rule = {
  create(context) {
    if (!isPure(housePath(context.filename))) return {};
    const report = (node: Deno.lint.Node, what: string) => {
      const place = folderOf(housePath(context.filename));
      context.report({ node, message: `${what} is not for ${place}: slow work leaves as an effect` });
    };
    const ifAsync = (node: Deno.lint.Node & { async: boolean }) => {
      if (node.async) report(node, "an asynchronous function");
    };
    return {
      FunctionDeclaration: ifAsync,
      FunctionExpression: ifAsync,
      ArrowFunctionExpression: ifAsync,
      AwaitExpression: (node) => report(node, `"await"`),
      ForOfStatement: (node) => {
        if (node.await) report(node, `"for await"`);
      },
      ImportExpression: (node) => report(node, "a dynamic import"),
    };
  },
};

const pureImports: Deno.lint.Rule = {
  create(context) {
    const path = housePath(context.filename);
    if (!isPure(path)) return {};
    return onImports((specifier, node) => {
      if (specifier.startsWith(".")) return;
      const name = specifier.replace(/^npm:/, "").replace(/(?<=.)@.*$/, "");
      const allowed = specifier.startsWith("node:")
        ? PURE_BUILTINS[specifier]?.includes(folderOf(path)) === true
        : PURE_PACKAGES.includes(name);
      if (!allowed) {
        context.report({ node, message: `"${specifier}" is not for ${folderOf(path)}, which is pure` });
      }
    });
  },
};

const oneWay: Deno.lint.Rule = {
  create(context) {
    const path = housePath(context.filename);
    return onImports((specifier, node) => {
      if (!specifier.startsWith(".")) return;
      const target = posix.join(posix.dirname(path), specifier);
      if (mayImport(path, target)) return;
      context.report({ node, message: `${folderOf(path)} must not import ${target}: imports point one way` });
    });
  },
};

const runtimeNames: Deno.lint.Rule = {
  create(context) {
    const path = housePath(context.filename);
    if (RUNTIME_FOLDERS.some((folder) => path.startsWith(`${folder}/`))) return {};
    return banNames(
      context,
      new Set(["Deno", "Bun"]),
      (name) => `"${name}" is only for lib/system: use a "node:" built-in`,
    );
  },
};

const plugin: Deno.lint.Plugin = {
  name: "heartline",
  rules: {
    "pure-globals": pureGlobals,
    "pure-async": pureAsync,
    "pure-imports": pureImports,
    "imports-one-way": oneWay,
    "runtime-names": runtimeNames,
  },
};

export default plugin;
