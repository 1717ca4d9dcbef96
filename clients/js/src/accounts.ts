// Written by `npm run types`, from the API's description. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An authentication related response. */
        AuthenticationResponse: {
            /** @enum {integer} */
            status: 401;
            data: {
                flows: components["schemas"]["Flow"][];
            };
            meta: components["schemas"]["AuthenticationMeta"];
        };
        BaseAuthenticationMeta: {
            /**
             * @description The session token (`app` clients only).
             * @example ufwcig0zen9skyd545jc0fkq813ghar2
             */
            session_token?: string;
            /**
             * @description Like that of `/api/token/`, once signed in (`app` clients).
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdW
             */
            access_token?: string;
            /** @description For `/api/token/refresh/`, once signed in (`app` clients). */
            refresh_token?: string;
            /** @description The lifetime of the access token in seconds. */
            expires_in?: number;
        };
        AuthenticationMeta: components["schemas"]["BaseAuthenticationMeta"] & {
            is_authenticated: boolean;
        };
        Flow: {
            /** @enum {string} */
            id: "login" | "login_by_code" | "mfa_authenticate" | "mfa_login_webauthn" | "mfa_reauthenticate" | "mfa_signup_webauthn" | "mfa_trust" | "password_reset_by_code" | "provider_redirect" | "provider_signup" | "provider_token" | "reauthenticate" | "reauthenticate_by_code" | "signup" | "verify_email" | "verify_phone";
            provider?: components["schemas"]["Provider"];
            /** @enum {boolean} */
            is_pending?: true;
            /** @description Matches `settings.MFA_SUPPORTED_TYPES`. */
            types?: components["schemas"]["AuthenticatorType"][];
            /** @description Verified destinations that can receive a reauthentication code. */
            recipients?: components["schemas"]["ReauthenticationCodeRecipient"][];
        };
        Authenticated: {
            user: components["schemas"]["User"];
            /** @description A list of methods used to authenticate. */
            methods: components["schemas"]["AuthenticationMethod"][];
        };
        AuthenticationMethod: {
            /** @enum {string} */
            method: "password";
            at: components["schemas"]["Timestamp"];
            email?: components["schemas"]["Email"];
        } | {
            /** @enum {string} */
            method: "password_reset";
            at: components["schemas"]["Timestamp"];
            email: components["schemas"]["Email"];
        } | {
            /** @enum {string} */
            method: "code";
            at: components["schemas"]["Timestamp"];
            email: components["schemas"]["Email"];
            /** @enum {boolean} */
            reauthenticated?: true;
        } | {
            /** @enum {string} */
            method: "code";
            at: components["schemas"]["Timestamp"];
            phone: components["schemas"]["Phone"];
            /** @enum {boolean} */
            reauthenticated?: true;
        } | {
            /** @enum {string} */
            method: "password";
            at: components["schemas"]["Timestamp"];
            /** @enum {boolean} */
            reauthenticated: true;
        } | {
            /** @enum {string} */
            method: "socialaccount";
            at: components["schemas"]["Timestamp"];
            provider: components["schemas"]["ProviderID"];
            uid: components["schemas"]["ProviderAccountID"];
        } | {
            /** @enum {string} */
            method: "mfa";
            at: components["schemas"]["Timestamp"];
            type: components["schemas"]["AuthenticatorType"];
            reauthenticated?: boolean;
        };
        AuthenticatedResponse: {
            status: components["schemas"]["StatusOK"];
            data: components["schemas"]["Authenticated"];
            meta: components["schemas"]["AuthenticationMeta"];
        };
        ReauthenticationCodeRecipient: {
            email: components["schemas"]["Email"];
        } | {
            phone: components["schemas"]["Phone"];
        };
        BaseSignup: {
            email: components["schemas"]["Email"];
            name?: string;
        };
        Signup: components["schemas"]["BaseSignup"] & {
            password: components["schemas"]["Password"];
        };
        /**
         * @description The email address.
         * @example email@domain.org
         */
        Email: string;
        /**
         * @description The phone number.
         * @example +314159265359
         */
        Phone: string;
        Login: {
            password: components["schemas"]["Password"];
        } & ({
            email: components["schemas"]["Email"];
        } | {
            phone: components["schemas"]["Phone"];
        });
        /** @enum {integer} */
        StatusOK: 200;
        VerifyEmail: {
            /**
             * @description The email verification key
             * @example 2f-c4nqd4-e07d9bc694f9f28cd4fe92569d495333
             */
            key: string;
        };
        /**
         * @description An epoch based timestamp (trivial to parse using: `new Date(value)*1000`)
         * @example 1711555057.065702
         */
        Timestamp: number;
        /**
         * @description The type of authenticator.
         * @enum {string}
         */
        AuthenticatorType: "recovery_codes" | "totp" | "webauthn";
        /**
         * @description The password.
         * @example Alohomora!
         */
        Password: string;
        ErrorResponse: {
            /**
             * @example 400
             * @enum {integer}
             */
            status?: 400;
            errors?: {
                /**
                 * @description An error code.
                 * @example invalid
                 */
                code: string;
                /**
                 * @description The name of the input parameter that was incorrect.
                 * @example email
                 */
                param?: string;
                /**
                 * @description A human readable error message.
                 * @example Enter a valid email address.
                 */
                message: string;
            }[];
        };
        /**
         * @description The provider ID.
         * @example google
         */
        ProviderID: string;
        /**
         * @description The provider specific account ID.
         * @example goo12345
         */
        ProviderAccountID: string;
        User: {
            /**
             * @description The user ID.
             * @example 123
             */
            id?: number;
            /**
             * @description The display name for the user.
             * @example Magic Wizard
             */
            display: string;
            /**
             * @description The email address.
             * @example email@domain.org
             */
            email?: string;
            /**
             * @description Whether or not the account has a password set.
             * @example true
             */
            has_usable_password: boolean;
        };
        Provider: {
            /**
             * @description The provider ID.
             * @example google
             */
            id: string;
            /**
             * @description The name of the provider.
             * @example Google
             */
            name: string;
            /**
             * @description The client ID (in case of OAuth2 or OpenID Connect based providers)
             * @example 123.apps.googleusercontent.com
             */
            client_id?: string;
            /**
             * @description The OIDC discovery or well-known URL (in case of OAuth2 or OpenID Connect based providers)
             * @example https://accounts.google.com/.well-known/openid-configuration
             */
            openid_configuration_url?: string;
            /** @description The authentication flows the provider integration supports. */
            flows: ("provider_redirect" | "provider_token")[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
