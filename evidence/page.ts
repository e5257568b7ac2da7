import { escapeHtml, formatBytes, formatDuration, htmlTable } from '../base/index.ts'
import { encodeBundle } from './bundle.ts'
import { readDocument } from './document.ts'
import type { DrillEvidence, EvidenceBundle, EvidenceCheck } from './types.ts'

/**
 * Of how a page looks: a page is compared with what this layout makes of its data. Another look is another number. Pages of
 * drills that restored no disks say so, and are of the second one: earlier versions do not make it.
 */
export function pageLayout({ bootedFrom }: DrillEvidence): number {
  return bootedFrom === 'repository' ? 2 : 1
}

const open = '<script type="application/json" id="evidence">'
const shut = '</script>'

/**
 * The evidence as one file for people: nothing from anywhere else, no program in it, to print or to keep. The signed data
 * lie inside, so that the file can be verified; the same data make the same page, byte for byte. Throws FormatError.
 */
export function evidencePage(bundle: EvidenceBundle): string {
  const of = readDocument(bundle.payload)
  const title = `Drill of ${of.vm.name}, ${minute(of.ended)}`
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`,
    `<meta name="generator" content="holdfast evidence page ${pageLayout(of)}"><title>${escapeHtml(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="${of.verdict}"><b>${escapeHtml(headline(of))}</b></p><p>${escapeHtml(of.why)}</p>`,
    '<h2>Measured</h2>',
    listOf(measured(of)),
    '<h2>What was proven</h2>',
    listOf(subject(of)),
    '<h2>Disks</h2>',
    htmlTable(
      ['Disk', 'Size', 'Root of the tree over its content'],
      of.disks.map(({ disk, label, bytes, imageRoot }) => [
        label === '' || label === disk ? disk : `${disk} (${label})`,
        formatBytes(bytes),
        imageRoot ?? 'not read',
      ]),
    ),
    `<h2>Checks, ${of.checks.filter(({ passed }) => passed).length} of ${of.checks.length} passed</h2>`,
    ...(of.checks.length === 0 ? ['<p>Nothing was asked of the guest.</p>'] : of.checks.map(checkBlock)),
    '<h2>Console after the isolated boot</h2>',
    pictureBlock(of, bundle.picture),
    '<h2>Signature</h2>',
    listOf([
      ['Signed', minute(of.signed)],
      ['Key', bundle.keyId],
      ['Signature', bundle.signature],
      ['Verify', `holdfast drill verify FILE --trust ${bundle.keyId}`],
    ]),
    '<p>The fingerprint of the key has to come from somewhere else than this file: from <code>holdfast drill keys</code>, or from where it was written down.</p>',
    `${open}${inScript(encodeBundle(bundle))}${shut}`,
    '</body></html>\n',
  ].join('\n')
}

/** What lies in a page; undefined: this is none of ours. */
export function dataOfPage(text: string): string | undefined {
  const from = text.lastIndexOf(open)
  const to = text.indexOf(shut, from)
  return from < 0 || to < 0 ? undefined : text.slice(from + open.length, to)
}

/** The layout that a page says to be of; undefined: none. */
export function layoutOfPage(text: string): number | undefined {
  const found = /<meta name="generator" content="holdfast evidence page (\d{1,6})">/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

function headline({ verdict, rtoSeconds, rtoTargetSeconds }: DrillEvidence): string {
  if (verdict === 'inconclusive')
    return 'Inconclusive: this drill says neither that the point comes back nor that it does not'
  if (verdict === 'failed') return 'Failed: this point has not proved itself'
  if (rtoSeconds === null || rtoTargetSeconds === null) return 'Passed: the point comes back'
  return `Passed: the point comes back, ${rtoSeconds <= rtoTargetSeconds ? 'within' : 'but not within'} the time promised`
}

function fromRepository({ restoreSeconds }: DrillEvidence): [string, string][] {
  return [
    ['Booted from', 'the repository; what the guest did not read was not looked at'],
    ['Started after', seconds(restoreSeconds)],
  ]
}

function measured(of: DrillEvidence): [string, string][] {
  const { bootSeconds, rtoSeconds, rtoTargetSeconds } = of
  return [
    ['Back after', rtoSeconds === null ? 'not reached' : seconds(rtoSeconds)],
    ['Promised', rtoTargetSeconds === null ? 'nothing' : seconds(rtoTargetSeconds)],
    ...(of.bootedFrom === 'repository'
      ? fromRepository(of)
      : [['Restore', seconds(of.restoreSeconds)] as [string, string]]),
    ['Boot until the agent answered', bootSeconds === null ? 'not reached' : seconds(bootSeconds)],
    ['Began', minute(of.started)],
    ['Ended', minute(of.ended)],
    ['Left behind', of.residue.length === 0 ? 'nothing' : of.residue.map(({ kind, id }) => `${kind} ${id}`).join(', ')],
  ]
}

function subject(of: DrillEvidence): [string, string][] {
  const { vm, point, repository, hypervisor, drill, installation, software } = of
  const by = drill.requestedBy
  return [
    ['VM', `${vm.name} (${[vm.id, ...(vm.externalId === null ? [] : [vm.externalId])].join(', ')})`],
    ['Category', vm.category ?? 'not known'],
    ['Point', `${point.id}, taken ${point.taken === null ? 'at a time not known' : minute(point.taken)}`],
    ['Kept as', point.stem],
    ['Validated', point.validated === null ? 'not known' : minute(point.validated)],
    ['Made', [point.mode ?? 'mode not known', point.consistency ?? 'consistency not known'].join(', ')],
    [
      'Repository',
      [repository.name ?? repository.id, ...(repository.uuid === null ? [] : [repository.uuid])].join(', '),
    ],
    ['Booted on', hypervisor === null ? 'not known' : `${hypervisor.id} (${hypervisor.platform}), in isolation`],
    ['Asked by', by === null ? 'not known' : `${by.user}${by.reason === '' ? '' : `: ${by.reason}`}`],
    ['Drill', drill.id],
    ['History', `${drill.workflowId}, run ${drill.runId}`],
    ['Installation', `${installation.name} (${installation.id}), Holdfast ${software.version}`],
  ]
}

function checkBlock({ title, passed, detail, asked, exit, out, outSha256, err, errSha256 }: EvidenceCheck): string {
  const command = asked === null ? [] : [['Command', [asked.path, ...asked.args].join(' ')] as [string, string]]
  const hashes: [string, string][] = [
    ...(outSha256 === null ? [] : [['SHA-256 of the output', outSha256] as [string, string]]),
    ...(errSha256 === null ? [] : [['SHA-256 of the errors', errSha256] as [string, string]]),
  ]
  const shown = [out, err].filter((text) => text.trim() !== '').join('\n')
  return [
    `<section><h3 class="${passed ? 'passed' : 'failed'}">${escapeHtml(title)}: ${passed ? 'passed' : 'failed'}</h3>`,
    `<p>${escapeHtml(detail)}</p>`,
    listOf([...command, ['Exit code', exit === null ? 'none' : String(exit)], ...hashes]),
    shown === '' ? '' : `<pre>${escapeHtml(shown)}</pre>`,
    '</section>',
  ].join('')
}

function pictureBlock({ screenshot, vm }: DrillEvidence, picture: Uint8Array | null): string {
  if (screenshot === null) return '<p>No picture was taken.</p>'
  const hash = listOf([['SHA-256 of the picture', screenshot.sha256]])
  if (picture === null) return `<p>The picture was no longer there when this file was made.</p>${hash}`
  const data = Buffer.from(picture).toString('base64')
  return `<img alt="Console of ${escapeHtml(vm.name)}" src="data:image/png;base64,${data}">${hash}`
}

function listOf(rows: readonly (readonly [string, string])[]): string {
  return `<dl>${rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`
}

function minute(moment: string): string {
  return `${moment.slice(0, 19).replace('T', ' ')} UTC`
}

function seconds(n: number): string {
  return formatDuration(n * 1000)
}

/** Nothing in the data ends the element that holds them. */
function inScript(json: string): string {
  return json.replaceAll('<', String.raw`\u003c`)
}

const style = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color:#111;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .3rem}h3{font-size:1rem;margin:1rem 0 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.4rem 0}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}
pre{background:#f4f4f4;padding:.5rem;white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%;border:1px solid #ccc}
.passed{color:#0a5c2b}.failed{color:#9b1c1c}.inconclusive{color:#7a4b00}section{break-inside:avoid}@media print{body{margin:0}}`
