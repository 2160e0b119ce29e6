// The rules of the repository's dialect for which oxlint has none of its own; `.oxlintrc.json` turns them on beside its own.

/** A name of capitals: `MAX_FAULTS`, `DAY_MS`, `SEED`. */
const UPPER_CASE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** Operators that make a constant of constants. */
const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '**', '<<', '>>', '>>>', '&', '|', '^', '~']);

/** `#name` for what a class keeps to itself; a constructor is the one member that has no such name. */
const hashPrivate = {
  meta: {
    type: 'problem',
    docs: { description: 'Private members of classes are #private.' },
    messages: { keyword: "'{{name}}' is private by keyword, which holds for the compiler only; name it '#{{name}}'" },
  },
  create(context) {
    const check = (node) => {
      if (node.accessibility !== 'private' || node.kind === 'constructor') return;
      context.report({ node: node.key, messageId: 'keyword', data: { name: context.sourceCode.getText(node.key) } });
    };
    return { MethodDefinition: check, PropertyDefinition: check, AccessorProperty: check };
  },
};

/** `UPPER_CASE` for what is the same in every run: a module's `const` of a literal, of arithmetic with such, or of a symbol. */
const upperCaseConstants = {
  meta: {
    type: 'problem',
    docs: { description: 'Constants of a module are UPPER_CASE.' },
    messages: { case: "'{{name}}' is a constant of the module; name it '{{upper}}'" },
  },
  create(context) {
    return {
      VariableDeclaration(node) {
        if (node.kind !== 'const' || node.declare === true) return;
        const holder = node.parent.type === 'ExportNamedDeclaration' ? node.parent.parent : node.parent;
        if (holder.type !== 'Program') return;
        for (const { id, init } of node.declarations) {
          if (id.type !== 'Identifier' || UPPER_CASE.test(id.name) || init === null || !isConstant(init)) continue;
          context.report({ node: id, messageId: 'case', data: { name: id.name, upper: upperCase(id.name) } });
        }
      },
    };
  },
};

/** `export type { … }` where all that is named is a type: `export { type … } from` loads the module when the program runs. */
const typeExports = {
  meta: {
    type: 'problem',
    docs: { description: 'An export of types only has one `type`, before the braces.' },
    messages: {
      inline: "every name here is a type: write 'export type { … }', which loads nothing when the program runs",
    },
  },
  create(context) {
    return {
      ExportNamedDeclaration(node) {
        if (node.exportKind === 'type' || node.declaration !== null || node.specifiers.length === 0) return;
        if (node.specifiers.every(({ exportKind }) => exportKind === 'type')) {
          context.report({ node, messageId: 'inline' });
        }
      },
    };
  },
};

export default {
  meta: { name: 'dialect' },
  rules: {
    'hash-private': hashPrivate,
    'upper-case-constants': upperCaseConstants,
    'type-exports': typeExports,
  },
};

function isConstant(node) {
  switch (node.type) {
    case 'Literal':
      return node.value !== null || 'regex' in node || 'bigint' in node;
    case 'TemplateLiteral':
      return node.expressions.length === 0;
    case 'Identifier':
      return UPPER_CASE.test(node.name);
    case 'UnaryExpression':
      return ARITHMETIC.has(node.operator) && isConstant(node.argument);
    case 'BinaryExpression':
      return ARITHMETIC.has(node.operator) && isConstant(node.left) && isConstant(node.right);
    case 'MemberExpression':
      return isNamed(node.object, ['Number', 'Math']) && !node.computed && UPPER_CASE.test(node.property.name);
    case 'CallExpression':
      return (
        isNamed(node.callee, ['Symbol']) ||
        (node.callee.type === 'MemberExpression' && isNamed(node.callee.object, ['Symbol']))
      );
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return isConstant(node.expression);
    default:
      return false;
  }
}

function isNamed(node, names) {
  return node.type === 'Identifier' && names.includes(node.name);
}

function upperCase(name) {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}
