/** What a small guest is made of: a Linux that lives in memory. All that decides about its content is in here. */
export interface Recipe {
  /** Of its folder in the cache; short, `[a-z]`. */
  readonly name: string
  readonly release: { readonly name: string; readonly title: string }
  /** Debian packages; the kernel and the libraries below them come by themselves. */
  readonly packages: readonly string[]
  /** Modules of the kernel by name, loaded by init or on demand; what they need comes by itself. */
  readonly modules: readonly string[]
  /** Programs beside busybox, by their place in the packages; the guest has them at the same place. */
  readonly programs: readonly string[]
  /** Our own files in `folder` and where the guest has them; all are executable. `init` is process 1. */
  readonly folder: string
  readonly files: { readonly [file: string]: string }
  /** Empty folders beside the usual ones, without the first slash. */
  readonly mountPoints: readonly string[]
  readonly isCompressed: boolean
  /** Folders whose code decides as well, so that a change of it makes another guest. */
  readonly code: readonly string[]
  /** Makes more out of the unpacked packages in `tree`, into `folder`, which holds `vmlinuz` and `initrd` by then. */
  readonly finish?: (tree: string, folder: string, progress: (line: string) => void) => Promise<void>
}
