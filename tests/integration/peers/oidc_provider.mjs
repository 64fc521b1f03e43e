// A real OpenID Connect provider (npm oidc-provider) for the tests: one client, development sign-in pages.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const GROUPS = { sue: ["gate-supervisors"], olga: ["gate-operators"], guest: ["visitors"] };

const provider = new Provider(issuer, {
  clients: [
    { client_id: "gate", client_secret: "a secret of the test", redirect_uris: [redirect], response_types: ["code"], grant_types: ["authorization_code"] },
  ],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: `subject-of-${id}`, preferred_username: id, groups: GROUPS[id] ?? [] }),
  }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["test"] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
});
createServer(provider.callback()).listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ issuer })));
