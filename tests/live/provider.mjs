// A stock OpenID provider (npm: oidc-provider) on a free loopback port, with fresh keys at every start.
//
// Prints one line of JSON, {"issuer": ...}, once it listens, and serves until it is told to stop or its standard input
// ends, so that it never outlives the tests that started it.
//
// What to ask it for: a token for the resource https://api.example/<ALG> comes signed with that algorithm, one for
// https://api.example/encrypted as a JWE; the client web-<ALG> gets ID tokens signed with it.

import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The packages are installed outside the source tree: the first argument is the folder that holds node_modules.
const folder = process.argv[2];
const entry = createRequire(join(folder, 'package.json')).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry).href);

const API = 'https://api.example/';
const ID_TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const privateJwk = (type, options, members) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  ...members,
});

const keys = [
  // No "alg": one key for all of RS256 to PS512, as RFC 7517 allows.
  privateJwk('rsa', { modulusLength: 2048 }, { use: 'sig' }),
  privateJwk('ec', { namedCurve: 'P-256' }, { use: 'sig' }),
  privateJwk('ec', { namedCurve: 'P-384' }, { use: 'sig' }),
  privateJwk('ed25519', {}, { use: 'sig' }),
  // Two that a verifier must leave out without losing the others: a curve it does not know, a key for encryption.
  privateJwk('ec', { namedCurve: 'P-521' }, { use: 'sig' }),
  privateJwk('rsa', { modulusLength: 2048 }, { use: 'enc', alg: 'RSA-OAEP-256' }),
];

const secrets = { mac: createSecretKey(randomBytes(32)), encryption: createSecretKey(randomBytes(32)) };

function resourceServer(indicator) {
  const name = indicator.slice(API.length);
  const common = { scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: 300 };
  if (name === 'encrypted') {
    return { ...common, jwt: { encrypt: { alg: 'dir', enc: 'A256GCM', key: secrets.encryption } } };
  }
  return { ...common, jwt: { sign: { alg: name, key: name.startsWith('HS') ? secrets.mac : undefined } } };
}

const server = createServer();
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clients: [
    {
      client_id: 'machine',
      client_secret: 'machine-secret',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
    ...ID_TOKEN_ALGORITHMS.map((algorithm) => ({
      client_id: `web-${algorithm}`,
      client_secret: 'web-secret',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: ['https://client.example/callback'],
      id_token_signed_response_alg: algorithm,
    })),
  ],
  features: {
    clientCredentials: { enabled: true },
    encryption: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, indicator) => resourceServer(indicator),
    },
  },
});

server.on('request', provider.callback());
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ issuer }));
