import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import type { Endpoint } from '../values.ts'
import { describeImages, listLooseImages } from './loose.ts'

describe('images that lie in the folder', () => {
  let folder: string
  let endpoint: Endpoint
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hf-loose-'))
    const options = { scope: '6f1c2f0e-0c5c-4d7e-9d67-5b7f3d1b1c11' }
    endpoint = { ...{ id: 'imports', platform: 'image', address: folder }, options } as unknown as Endpoint
    for (const name of ['root.raw', 'data.img']) {
      writeFileSync(join(folder, name), 'a disk')
      await truncate(join(folder, name), MiB)
    }
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are listed by name, with what keeps one from being imported and whose disk one is already', async () => {
    writeFileSync(join(folder, 'cut.vmdk'), 'no mark')
    writeFileSync(join(folder, 'notes.txt'), 'no image')
    symlinkSync('/etc/hostname', join(folder, 'link.raw'))
    await describeImages(endpoint, 'old', ['data.img'])
    expect(await listLooseImages(endpoint)).toMatchObject([
      { file: 'cut.vmdk', format: null, problem: expect.stringContaining('its mark is missing') as string },
      { file: 'data.img', format: 'raw', bytes: MiB, vm: 'old', problem: null },
      { file: 'link.raw', format: null, problem: expect.stringContaining('is no file') as string },
      { file: 'root.raw', format: 'raw', bytes: MiB, vm: null, problem: null },
    ])
  })

  it('become the disks of a VM, the first one to boot from; the same again are the same VM, others need another name', async () => {
    await describeImages(endpoint, 'old', ['root.raw', 'data.img'])
    const path = join(folder, 'old.json')
    const text = readFileSync(path, 'utf8')
    expect(JSON.parse(text)).toMatchObject({
      name: 'old',
      tags: ['imported'],
      disks: [
        { key: 'disk0', file: 'root.raw', format: 'raw', bootOrder: 0 },
        { key: 'disk1', file: 'data.img', format: 'raw', bootOrder: null },
      ],
    })
    await describeImages(endpoint, 'old', ['root.raw', 'data.img'])
    expect(readFileSync(path, 'utf8')).toBe(text)
    await expect(describeImages(endpoint, 'old', ['root.raw'])).rejects.toMatchObject({ code: 'NameTaken' })
    // As `holdfast point import` has written it, which names files by their whole path.
    const absolute = JSON.parse(text) as { disks: { file: string }[] }
    for (const disk of absolute.disks) disk.file = join(folder, disk.file)
    writeFileSync(path, JSON.stringify(absolute))
    await describeImages(endpoint, 'old', ['root.raw', 'data.img'])
  })

  it('are read from the folder alone, whatever is named, and a refusal writes nothing', async () => {
    await mkdir(join(folder, 'sub.raw'))
    symlinkSync('/etc/hostname', join(folder, 'link.raw'))
    const before = readdirSync(folder)
    for (const [file, code] of [
      ['/etc/hostname', 'InvalidRequest'],
      ['../secret.raw', 'InvalidRequest'],
      ['link.raw', 'InvalidRequest'],
      ['sub.raw', 'InvalidRequest'],
      ['.hidden.raw', 'InvalidRequest'],
      ['hostname', 'InvalidRequest'],
      ['missing.raw', 'NotFound'],
    ] as const)
      await expect(describeImages(endpoint, 'old', [file]), file).rejects.toMatchObject({ code })
    await expect(describeImages(endpoint, '../old', ['root.raw'])).rejects.toMatchObject({ code: 'InvalidRequest' })
    await expect(describeImages(endpoint, 'old', ['root.raw', 'root.raw'])).rejects.toMatchObject({
      code: 'InvalidRequest',
    })
    const other = { ...endpoint, platform: 'qemu' as const }
    await expect(describeImages(other, 'old', ['root.raw'])).rejects.toMatchObject({ code: 'Unsupported' })
    expect(readdirSync(folder)).toEqual(before)
  })
})
