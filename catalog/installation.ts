import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { installation } from './schema.ts'

/** `uuid`: 32 hex digits; owner of repository sessions and of every mark on a hypervisor. */
export interface Installation {
  readonly uuid: string
  readonly name: string
  readonly createdMs: number
}

export interface InstallationQueries {
  get(): Installation
  /**
   * Takes over the identity of an installation whose catalog was lost, so that its marks stay ours. Refused by the
   * caller once anything is protected.
   */
  adopt(uuid: string, name: string): void
}

export function installationQueries({ db, now }: CatalogContext): InstallationQueries {
  const write = (uuid: string, name: string): void => {
    db.insert(installation)
      .values({ id: 1, uuid, name, createdMs: now() })
      .onConflictDoUpdate({ target: installation.id, set: { uuid, name } })
      .run()
  }
  const read = (): Installation | undefined => db.select().from(installation).where(eq(installation.id, 1)).get()
  return {
    get() {
      const found = read()
      if (found) return { uuid: found.uuid, name: found.name, createdMs: found.createdMs }
      write(randomUUID().replaceAll('-', ''), 'holdfast')
      return this.get()
    },
    adopt: write,
  }
}
