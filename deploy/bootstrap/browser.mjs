/** Where a browser that the tests can drive may be; the first one that is there is taken. */
const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]

/**
 * Which browser the tests use, from what this machine has: `path` (there it is), `install` (the package that brings
 * it) or `advice` (apt cannot help). `policy` is what `apt-cache policy chromium` says.
 */
export function browserPlan({ env, exists, policy }) {
  const named = env.HOLDFAST_CHROMIUM
  if (named) {
    if (exists(named)) return { path: named }
    return { advice: `HOLDFAST_CHROMIUM names ${named}, which is not there: correct it, or unset it.` }
  }
  const path = places.find((place) => exists(place))
  if (path !== undefined) return { path }
  if (isRealPackage(candidateOf(policy))) return { install: 'chromium' }
  return {
    advice:
      'apt has no Chromium here that is not a snap: install Google Chrome (https://www.google.com/chrome, the .deb), or set HOLDFAST_CHROMIUM to a Chromium that you have. Then run the same command again.',
  }
}

/** The version that apt would install; null: none. */
function candidateOf(policy) {
  const version = /^\s*Candidate:\s*(\S+)\s*$/m.exec(policy)?.[1]
  return version === undefined || version === '(none)' ? null : version
}

/** Ubuntu's packages of this name hold no browser, only a way to its snap: `2:1snap1-…`, `1:85.0.4183.83-0ubuntu…`. */
function isRealPackage(version) {
  return version !== null && !/snap|^1:85\.0\.4183\.83-0ubuntu/.test(version)
}
