/** VMs that run from a repository: the list with age, I/O, owner and what remains, and the word that ends each. */
export { default as Instants } from './Instants.svelte'
