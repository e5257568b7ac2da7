import { describe, expect, test } from 'vitest'
import { readVolumes } from './volumes.ts'

const ext4 = `DISK=d0
KIND=partition
ID=d0p2
SECTORS=2048
ID_FS_TYPE=ext4
ID_FS_USAGE=filesystem
ID_FS_LABEL_ENC=root\\x20\\x22x\\x22\\x0a
ID_FS_UUID_ENC=31e3a3db-21ff
STATE=files
MOUNT=/vol/vda2
`

describe('what the micro-VM has found', () => {
  test('is read volume by volume, with labels as people wrote them', () => {
    expect(readVolumes(`${ext4}\nKIND=lv\nID=lv-vg-swap\nSECTORS=8\nID_FS_TYPE=swap\nSTATE=other\n\n`)).toMatchObject([
      { id: 'd0p2', disk: 0, size: 1_048_576, type: 'ext4', label: 'root "x"?', mount: '/vol/vda2', state: 'files' },
      { id: 'lv-vg-swap', disk: null, type: 'swap', state: 'unsupported', mount: null },
    ])
  })

  test('tells an encrypted volume, and a journal that was not replayed', () => {
    const crypto = 'KIND=disk\nID=d1\nSECTORS=8\nID_FS_TYPE=crypto_LUKS\nID_FS_USAGE=crypto\nSTATE=other\n'
    expect(readVolumes(crypto)[0]?.state).toBe('encrypted')
    expect(readVolumes(`JOURNAL=not-replayed\n${ext4}`)[0]?.isJournalReplayed).toBe(false)
    expect(readVolumes(ext4)[0]?.isJournalReplayed).toBe(true)
  })

  test.each([
    ['two of the same name', `${ext4}\n${ext4}`],
    ['one without a name', ext4.replace('d0p2', '../x')],
    ['one that is mounted elsewhere', ext4.replace('/vol/vda2', '/vol/../etc')],
    ['one of a size that is none', ext4.replace('SECTORS=2048', 'SECTORS=1e999')],
    ['one in a state that nobody knows', ext4.replace('STATE=files', 'STATE=fine')],
  ])('breaks the protocol with %s', (_what, text) => {
    expect(() => readVolumes(text)).toThrow(expect.objectContaining({ code: 'ProtocolMismatch' }))
  })
})
