// SPDX-License-Identifier: Apache-2.0
// The certified OpenID provider, for tests: `node serve.mjs PORT REDIRECT_URI SECRET`, on this machine only.
// Its development pages take any name with any password.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirectUri, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const privateJwk = (type, options, extra) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  use: "sig",
  ...extra,
});

const client = (id, more) => ({
  client_id: id,
  redirect_uris: [redirectUri],
  response_types: ["code"],
  grant_types: ["authorization_code"],
  ...more,
});

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      privateJwk("ec", { namedCurve: "P-256" }, { alg: "ES256", kid: "elliptic" }),
      privateJwk("rsa", { modulusLength: 2048 }, { alg: "RS256", kid: "rivest" }),
    ],
  },
  clients: [
    client("public", { token_endpoint_auth_method: "none", id_token_signed_response_alg: "ES256" }),
    client("secret-basic", { client_secret: secret, id_token_signed_response_alg: "RS256" }),
    client("signed-userinfo", {
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
      userinfo_signed_response_alg: "ES256",
    }),
  ],
  cookies: { keys: [secret] },
  pkce: { required: () => true },
  features: { jwtUserinfo: { enabled: true } },
  claims: {
    openid: ["sub", "schac_home_organization", "eduperson_scoped_affiliation"],
    profile: ["name"],
    email: ["email"],
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Person <${id}>`,
      email: `${id}@example.org`,
      schac_home_organization: "example.org",
      eduperson_scoped_affiliation: ["faculty@example.org"],
    }),
  }),
});

createServer(provider.callback()).listen(Number(port), "127.0.0.1", () => console.log("ready"));
