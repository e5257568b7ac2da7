import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** Self-signed for `name` (a DNS name), valid from 2020 to 2049; made anew for each run, so that none is ever committed. */
export function selfSigned(name: string): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = seq(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)) // ecdsa-with-SHA256
  const subject = seq(der(0x31, seq(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))))
  const alternative = seq(der(0x82, Buffer.from(name)))
  const extensions = seq(
    seq(oid(0x55, 0x1d, 0x11), der(0x04, alternative)),
    seq(oid(0x55, 0x1d, 0x13), der(0x01, Buffer.of(0xff)), der(0x04, seq(der(0x01, Buffer.of(0xff))))),
  )
  // RFC 5280, section 4.1: version 3, serial, algorithm, issuer, validity, subject, key, extensions.
  const certificate = seq(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    algorithm,
    subject,
    seq(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z'))),
    subject,
    spki(publicKey),
    der(0xa3, extensions),
  )
  const signature = sign('sha256', certificate, privateKey)
  const whole = seq(certificate, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])))
  const base64 = whole.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function seq(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function oid(...encoded: readonly number[]): Buffer {
  return der(0x06, Buffer.from(encoded))
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const header =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), content])
}
