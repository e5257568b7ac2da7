import { open } from 'node:fs/promises'
import { bytes } from '../../base/index.ts'
import { buildAppliance } from '../../appliance/index.ts'
import type { BlockSource } from '../../nbd/index.ts'
import { filesGuest } from '../guest/recipe.ts'
import { FileSession } from '../session.ts'
import { saveState, savedState } from '../state.ts'

export interface OpenedImages extends AsyncDisposable {
  readonly session: FileSession
  /** From the start of the machine to the first folder that was listed. */
  readonly firstListingMs: number
}

/** A raw image as a block device. */
export async function imageSource(file: string): Promise<BlockSource & AsyncDisposable> {
  const handle = await open(file, 'r')
  const { size } = await handle.stat()
  return {
    size: bytes(size),
    read: async (at, into) => {
      await handle.read(into, 0, into.length, at)
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/**
 * Opens raw images in a micro-VM; the first volume that has files is listed, as somebody would do. `from`: a saved state,
 * default the one of the guest.
 */
export async function openImages(images: readonly string[], from?: string): Promise<OpenedImages> {
  const appliance = await buildAppliance(filesGuest)
  await saveState(appliance, AbortSignal.timeout(120_000))
  const state = from ?? (await savedState(appliance))
  await using stack = new AsyncDisposableStack()
  const disks = []
  for (const [n, image] of images.entries())
    disks.push({ key: `disk${n}`, source: stack.use(await imageSource(image)) })
  const begun = performance.now()
  const session = stack.use(
    await FileSession.open({
      ...{ appliance, state, disks, name: 'holdfast-files-test', lifeMs: 600_000 },
      signal: AbortSignal.timeout(300_000),
      onDiskError: () => undefined,
    }),
  )
  const first = session.volumes.find(({ state }) => state === 'files')
  if (first !== undefined) await session.list({ volume: first.id, path: '/' }, 0, 100)
  const firstListingMs = Math.round(performance.now() - begun)
  const moved = stack.move()
  return { session, firstListingMs, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

export async function contentOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}
