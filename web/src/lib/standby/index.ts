/** Standbys that follow VMs on another hypervisor: how far behind each is, and what may be done with it. */
export { default as NewDialog } from './NewDialog.svelte'
export { default as Standbys } from './Standbys.svelte'
