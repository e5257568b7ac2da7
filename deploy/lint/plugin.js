/**
 * Rules of our own for oxlint (its plugin interface is ESLint's). A swallowed error hides the one that matters: handle
 * it, or say in code why it is an answer.
 */
const forms = [
  'CatchClause > BlockStatement[body.length=0]',
  "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > BlockStatement[body.length=0]",
  "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > Identifier[name='undefined']",
]

const noSwallowedError = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const report = (node) =>
      context.report({
        node,
        message: 'A swallowed error hides the one that matters: handle it, or say in code why not.',
      })
    return Object.fromEntries(forms.map((selector) => [selector, report]))
  },
}

export default { meta: { name: 'holdfast' }, rules: { 'no-swallowed-error': noSwallowedError } }
