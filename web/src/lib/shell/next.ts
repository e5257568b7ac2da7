/** Where to go after signing in: only to a path of this dashboard, never to another origin. */
export function safeNext(wanted: string | null): string {
  if (wanted === null || !wanted.startsWith('/') || /^\/[/\\]/.test(wanted) || wanted.startsWith('/sign-in')) return '/'
  return wanted
}
