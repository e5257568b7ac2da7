/**
 * The import rules of docs/architecture.md, each with its reason. Data flows one way:
 * API → workflow → activity → driver/repository; a module further down never imports one further up.
 */
const only = (from, allowed, comment) => ({
  name: `${from}-imports`,
  comment,
  severity: 'error',
  from: { path: `^${from}/`, pathNot: '(\\.test(-d)?|/testing)\\.ts$' },
  to: {
    path: '^[^/]+/',
    dependencyTypesNot: ['core'],
    pathNot: [`^${from}/`, '^node_modules/', ...allowed.map((a) => `^${a}`)],
  },
})

/** What the suites of several folders share; no product code has a use for it. */
const sampling = 'tests/support/sampling\\.ts$'

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means that two rooms are one; find the idea that belongs to neither.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'base-is-the-ground',
      comment: 'Workflow code imports base, and runs where there is no node and no package.',
      severity: 'error',
      from: { path: '^base/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^base/' },
    },
    only('nbd', ['base/'], 'The protocol knows nothing of backup: it must stay usable against any peer.'),
    {
      name: 'nbd-node-only',
      comment: 'The data mover has no dependencies: fewer surprises on the hottest path.',
      severity: 'error',
      from: { path: '^nbd/', pathNot: '\\.test\\.ts$' },
      to: { path: '^node_modules/' },
    },
    only('repository', ['base/', sampling], 'The repository never knows hypervisors: it outlives them all.'),
    only('models', ['base/'], 'A model that shared code with what it checks would repeat its mistakes.'),
    only(
      'images',
      ['base/'],
      'Formats of files, and nothing else: whose disk it is and where it goes is the caller’s matter.',
    ),
    only(
      'drivers',
      ['base/', 'nbd/', 'images/index\\.ts$', sampling],
      'Drivers never know the repository: only activities join the two.',
    ),
    only(
      'appliance',
      ['base/', 'drivers/transport/'],
      'Builds small guests; what they are for is their recipes’ matter.',
    ),
    only(
      'files',
      [
        'base/',
        'nbd/',
        'appliance/',
        'drivers/transport/',
        'drivers/qmp/index\\.ts$',
        'drivers/names\\.ts$',
        'images/types\\.ts$',
      ],
      'Reads block devices that it is handed; whose they are and who asks is nothing that it knows.',
    ),
    only('policy', ['base/'], 'Pure rules: the same answer in a workflow, in the API and in a simulation of years.'),
    only('notify', ['base/'], 'Sends what it is given to whom it is told; who and when is nothing that it decides.'),
    only('catalog', ['base/', 'policy/'], 'The catalog is disposable; nothing in it may decide about data.'),
    only(
      'workflows',
      ['base/', 'policy/', 'drivers/values\\.ts$', 'activities/[^/]+/types\\.ts$'],
      'Workflow code is deterministic: no I/O, only contracts and pure rules.',
    ),
    {
      name: 'workflows-are-sandboxed',
      comment: 'Node modules and packages break determinism or the bundle.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: '\\.test\\.ts$' },
      to: { path: '^node_modules/', pathNot: '^node_modules/@temporalio/(workflow|common)/' },
    },
    only(
      'runbook',
      ['base/', 'workflows/[^/]+/contract\\.ts$', 'workflows/shared/'],
      'Pure: turns a history into what people read, so that live and archived runs look the same.',
    ),
    only(
      'activities',
      [
        'base/',
        'nbd/',
        'repository/',
        'drivers/',
        'files/index\\.ts$',
        'images/index\\.ts$',
        'appliance/index\\.ts$',
        'catalog/',
        'policy/',
        'workflows/[^/]+/contract\\.ts$',
        'workflows/shared/',
      ],
      'Activities join drivers and repository; they do not know who calls.',
    ),
    only(
      'api',
      [
        'base/',
        'catalog/',
        'runbook/',
        'notify/',
        'policy/',
        'files/types\\.ts$',
        'images/types\\.ts$',
        'workflows/[^/]+/contract\\.ts$',
        'workflows/shared/',
      ],
      'The API starts workflows and reads the catalog; it never touches a hypervisor or a repository itself.',
    ),
    only(
      'lab',
      ['base/', 'drivers/', 'appliance/index\\.ts$'],
      'A hypervisor to try things on: it knows no backup, so that it can judge one.',
    ),
    only(
      'server',
      [
        'base/',
        'repository/',
        'drivers/',
        'files/index\\.ts$',
        'appliance/index\\.ts$',
        'policy/',
        'notify/',
        'catalog/',
        'workflows/[^/]+/contract\\.ts$',
        'workflows/shared/',
        'activities/',
        'runbook/',
        'api/',
      ],
      'Processes put everything together; they work without a terminal, a lab and a demo.',
    ),
    only(
      'cli',
      [
        'base/',
        'policy/',
        'nbd/index\\.ts$',
        'images/',
        'repository/',
        'drivers/transport/',
        'lab/index\\.ts$',
        'server/index\\.ts$',
      ],
      'Verbs ask the public API, or work offline on a repository; no verb reaches into a catalog or a hypervisor.',
    ),
    only(
      'deploy',
      ['base/', 'drivers/transport/', 'files/index\\.ts$', 'appliance/index\\.ts$', 'lab/', 'server/', 'cli/demo/'],
      'Prepares and starts what others are; nothing of the product is written here.',
    ),
    {
      name: 'tests-are-not-imported',
      comment: 'What only tests need must not come to those who run Holdfast.',
      severity: 'error',
      from: { pathNot: '\\.test(-d)?\\.ts$|^(tests|bench)/|/testing|/contract/|testing[^/]*\\.ts$' },
      to: { path: '^(tests|bench)/|/testing[^/]*\\.ts$|^[a-z]+/testing/', pathNot: sampling },
    },
    {
      name: 'web-stands-alone',
      comment: 'The dashboard uses the public API like everyone else.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(?!web/|node_modules/|[$]app/)[^/]+/' },
    },
    {
      name: 'repository-has-one-door',
      comment: 'Inner modules change with the format; outsiders must not depend on them.',
      severity: 'error',
      from: { pathNot: '^(repository|tests|bench)/' },
      to: { path: '^repository/', pathNot: '^repository/index\\.ts$' },
    },
    {
      name: 'nbd-has-one-door',
      comment: 'The codec is an inner matter of the room.',
      severity: 'error',
      from: { pathNot: '^(nbd|tests|bench)/' },
      to: { path: '^nbd/', pathNot: '^nbd/index\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules/(?!@)|dist|\\.cache|web/(build|\\.svelte-kit))' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
