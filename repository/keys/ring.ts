import { HoldfastError, lazy } from '../../base/index.ts'
import { type KeyEntry, type KeySetContent, type KeyType } from '../format/index.ts'
import { maintenanceMacKey, writerMacKey } from './derive.ts'
import { identityOf, type Identity } from './identity.ts'

/** Keys by number, and which of them are current. Build with `createKeyRing`, also in a worker, from `content`. */
export interface KeyRing {
  /** Plain data: can be posted to a worker thread. Secret. */
  readonly content: KeySetContent
  readonly repo: string
  /** The domain that new data goes to. */
  readonly domain: string
  /** Ids of a domain; default: `domain`. Throws KeyUnknown for a domain whose IDK is not in the sets. */
  identity(domain?: string): Identity
  /** Bytes of key `no`, which must have that type. Throws KeyUnknown: what names it may be sound all the same. */
  key(type: KeyType, no: number): Buffer
  /** Whether any key of that type is held at all (roles, §5.5). */
  holds(type: KeyType): boolean
  /** Number and bytes of the current key. For DEK: that of `domain`. */
  current(type: 'IDK' | 'DEK' | 'MDK' | 'MK' | 'SIG'): { readonly no: number; readonly key: Buffer }
  /** MAC key (§5.2) of MDK `no` (writer) or MK `no` (maintenance); undefined if that key is not held. */
  macKey(by: MacBy, no: number): Buffer | undefined
  /** The current IDK of `domain` as the key sets have it: what a mirror may share. Secret. */
  identityKey(): KeyEntry
  /** Public keys of all SIG keys, current or not, in hex. */
  readonly signers: ReadonlySet<string>
}

export type MacBy = 'writer' | 'maintenance'

/** `content`: the union of all key sets (§5.3). */
export function createKeyRing(content: KeySetContent): KeyRing {
  const keys = new Map(content.keys.map((entry) => [entry.no, { entry, bytes: Buffer.from(entry.key, 'hex') }]))
  const domain = lazy(() => onlyDomain(content))
  const identities = new Map<string, Identity>()
  const macKeys = new Map<number, Buffer>()

  const find = (type: KeyType, no: number) => {
    const found = keys.get(no)
    return found?.entry.type === type ? found.bytes : undefined
  }
  const key = (type: KeyType, no: number): Buffer => {
    const found = find(type, no)
    if (found === undefined) throw unknown(`${type} ${no}`)
    return found
  }
  const currentNo = (type: 'IDK' | 'DEK' | 'MDK' | 'MK' | 'SIG'): number => {
    if (type !== 'IDK' && type !== 'DEK') return content.current[type]
    const no = content.current[type][domain()]
    if (no === undefined) throw new HoldfastError('DomainShredded', `domain ${domain()} has no current ${type}`)
    return no
  }
  return {
    content,
    repo: content.repo,
    get domain() {
      return domain()
    },
    identity(of = domain()) {
      const known = identities.get(of)
      if (known !== undefined) return known
      const no = content.current.IDK[of]
      if (no === undefined) throw unknown(`the identity key of domain ${of}`)
      const made = identityOf(key('IDK', no))
      identities.set(of, made)
      return made
    },
    key,
    holds: (type) => content.keys.some((entry: KeyEntry) => entry.type === type),
    current(type) {
      const no = currentNo(type)
      return { no, key: key(type, no) }
    },
    macKey(by, no) {
      const known = find(by === 'writer' ? 'MDK' : 'MK', no)
      if (known === undefined) return undefined
      const made = macKeys.get(no) ?? (by === 'writer' ? writerMacKey(known) : maintenanceMacKey(known))
      macKeys.set(no, made)
      return made
    },
    identityKey() {
      const no = currentNo('IDK')
      const entry = content.keys.find((each) => each.no === no && each.type === 'IDK')
      if (entry === undefined) throw unknown(`IDK ${no}`)
      return entry
    },
    signers: new Set(content.keys.flatMap((entry) => (entry.type === 'SIG' && entry.pub ? [entry.pub] : []))),
  }
}

/** Not damage: another role, or a set written since this one was opened, may hold it. */
function unknown(key: string): HoldfastError {
  return new HoldfastError('KeyUnknown', `${key} is not in the key sets that were opened`)
}

/** Phase 1 writes to one domain. */
function onlyDomain(content: KeySetContent): string {
  const domains = Object.keys(content.current.IDK)
  const [only] = domains
  if (only === undefined || domains.length > 1) {
    throw new HoldfastError(
      'FormatUnsupported',
      `The key sets name ${domains.length} domains; this version writes to one.`,
    )
  }
  return only
}
