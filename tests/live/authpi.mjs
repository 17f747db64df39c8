// An OpenID provider (npm: oidc-provider) with the routes and the claims of AuthPI, on a free loopback port, with fresh
// keys at every start.
//
// Prints one line of JSON, {"issuer": ...}, once it listens, and serves until it is told to stop or its standard input
// ends, so that it never outlives the tests that started it.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The packages are installed outside the source tree: the first argument is the folder that holds node_modules.
const folder = process.argv[2];
const entry = createRequire(join(folder, 'package.json')).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry).href);

const REDIRECT_URIS = ['https://client.example/callback'];
const SECRET = 'secret-secret-secret-secret-secret';

const login = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: REDIRECT_URIS,
  post_logout_redirect_uris: ['https://client.example/'],
};
const confidential = { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' };

// The claim of version 1.1 of the client, and that of 0.3.
const MEMBERSHIP = { title: 'Admin', scopes: ['projects:**', 'users:read'], joined_at: 1700000000 };
const organizations = (id) => (id === 'usr_2' ? { org_a: MEMBERSHIP } : [{ id: 'org_a', ...MEMBERSHIP }]);

const server = createServer();
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  routes: {
    authorization: '/authorize', token: '/token', userinfo: '/userinfo', revocation: '/revoke', end_session: '/logout',
  },
  conformIdTokenClaims: false,
  scopes: ['openid', 'offline_access', 'users:read', 'users:write'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'organizations'] },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, email: `${id}@example.com`, email_verified: true, name: 'Ada', organizations: organizations(id),
    }),
  }),
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  clients: [
    { client_id: 'cli_web', ...login, ...confidential },
    { client_id: 'cli_public', ...login, token_endpoint_auth_method: 'none' },
    // Its renewals have no ID token.
    { client_id: 'cli_without', ...login, ...confidential },
    {
      client_id: 'agt_machine', ...confidential, grant_types: ['client_credentials'], response_types: [],
      redirect_uris: [], scope: 'users:read users:write',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'users:read', accessTokenFormat: 'opaque', accessTokenTTL: 300 }),
      useGrantedResource: () => true,
    },
  },
});

provider.use(async (ctx, next) => {
  await next();
  const { oidc } = ctx;
  if (oidc?.route === 'token' && oidc.client?.clientId === 'cli_without' && oidc.params?.grant_type === 'refresh_token') {
    delete ctx.body.id_token;
  }
});

server.on('request', provider.callback());
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ issuer }));
