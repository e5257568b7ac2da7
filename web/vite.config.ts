import adapter from '@sveltejs/adapter-static'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

const out = new URL('build', import.meta.url).pathname

/**
 * A static single-page build that the API serves from its own origin. The one inline script (SvelteKit's bootstrap)
 * is allowed by its hash in the page's policy; nothing else is inline and nothing comes from elsewhere.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    sveltekit({
      adapter: adapter({ pages: out, assets: out, fallback: 'index.html' }),
      csp: {
        mode: 'hash',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          'img-src': ['self', 'blob:'],
          'connect-src': ['self'],
          'font-src': ['self'],
          'manifest-src': ['self'],
          'base-uri': ['self'],
          'form-action': ['self'],
        },
      },
    }),
  ],
  server: { proxy: { '/api': process.env['HOLDFAST_SERVER'] ?? 'http://127.0.0.1:7420' } },
})
