// fast-jwt as a contender in another process's rounds: see Child in contender.py for what is asked and answered.

import { createPublicKey } from 'node:crypto'
import { createInterface } from 'node:readline'

import { createVerifier } from 'fast-jwt'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const task = JSON.parse((await lines.next()).value)
const verify = createVerifier({
  key: createPublicKey({ key: task.jwks.keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
  algorithms: [task.algorithm],
  allowedIss: task.issuer,
  allowedAud: task.audience,
  requiredClaims: ['exp'],
  clockTolerance: 5000,
  cache: task.cached
})

function accepts (token) {
  try {
    verify(token)
    return true
  } catch {
    return false
  }
}

if (!task.tokens.every(accepts) || [...task.forged, ...task.unfit].some(accepts)) {
  throw new Error('fast-jwt accepts or refuses what it should not: the comparison is void')
}
console.log('ready')

let next = 0
for (let line = await lines.next(); !line.done; line = await lines.next()) {
  const calls = Number(line.value)
  const start = process.hrtime.bigint()
  for (let call = 0; call < calls; call++) {
    verify(task.tokens[next])
    next = (next + 1) % task.tokens.length
  }
  console.log(Number(process.hrtime.bigint() - start) / 1e9)
}
