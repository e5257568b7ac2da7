import adapter from '@sveltejs/adapter-static'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

const out = new URL('build', import.meta.url).pathname

/**
 * A static single-page build that the API serves from its own origin. The content security policy is a header of the
 * server: it allows the one inline script (SvelteKit's start) by its hash, and nothing from elsewhere.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    sveltekit({
      adapter: adapter({ pages: out, assets: out, fallback: 'index.html' }),
    }),
  ],
  // Which plugin took how long is no news to whoever builds.
  build: { rolldownOptions: { checks: { pluginTimings: false } } },
  server: { proxy: { '/api': process.env['HOLDFAST_SERVER'] ?? 'http://127.0.0.1:7420' } },
})
