// An authorization server: oidc-provider with its own pages for logging in and
// consenting. It prints one line of JSON that says where it listens, and ends
// when its standard input does.
//
//   node server.mjs lenient|strict
//
// The strict one takes pushed authorization requests only (RFC 9126 section 5),
// and wants a nonce of its own in each DPoP proof (RFC 9449 section 8).
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const strict = process.argv[2] === 'strict';
const { version } = JSON.parse(readFileSync(new URL('./node_modules/oidc-provider/package.json', import.meta.url)));

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const server = createServer();

const secret = 'a secret: 100% of it & +more';
const native = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/', 'http://[::1]/'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
};

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { ...native, client_id: 'native' },
      { ...native, client_id: 'native-dpop', dpop_bound_access_tokens: true },
      { ...native, client_id: 'with-basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
      { ...native, client_id: 'with-post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
    ],
    jwks: { keys: [{ ...signing, use: 'sig', alg: 'RS256', kid: 'test' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, name: 'Test User' }),
    }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 3600, DeviceCode: 600, IdToken: 3600 },
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: strict },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => strict },
    },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer, version }));
});
process.stdin.resume().on('end', () => process.exit(0));
