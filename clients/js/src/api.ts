// Written by `npm run types`, from the API's description. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A sign-in, or the end of a session. */
        Activity: {
            /** @description `sign_in`, or why a session ended: `sign_out`, `reuse` (a used token was sent again), `password` (it was changed), `support`, `reported` (by the owner) or `ended`. */
            kind: components["schemas"]["KindEnum"];
            /** Format: date-time */
            readonly at: string;
            /** @description Browser and system, for example `Chrome on Windows`. */
            readonly device: string;
            /** @description `phone`, `tablet`, `computer`, or `other` for a program or an unknown device. */
            readonly device_type: string;
            /** @description The client address, if it is known. */
            ip: string | null;
            /** @description The id of the session. */
            session: string;
            /** @description Why support ended the session. May be empty. */
            note: string;
        };
        /** @enum {unknown} */
        BlankEnum: "";
        /** @description Whether a token is accepted, and its claims: these and any others that it has. */
        Claims: {
            /** @description Whether it would be accepted for its purpose. */
            active: boolean;
            /** @description The user's id. */
            sub?: string;
            /** @description What the user signs in with, such as the e-mail address. */
            username?: string;
            token_type?: string;
            /** @description The session. */
            sid?: string;
            jti?: string;
            iat?: number;
            exp?: number;
        };
        /** @enum {string} */
        CodeEnum: "bad_authorization_header" | "cross_site" | "csrf_failed" | "email_not_verified" | "incorrect_code" | "invalid_client" | "mfa_required" | "no_active_account" | "not_authenticated" | "not_found" | "not_signed_in" | "parse_error" | "payload_too_large" | "permission_denied" | "reauthentication_required" | "throttled" | "token_not_valid" | "unavailable" | "unsupported_media_type" | "user_inactive" | "user_not_found";
        /** @description When the account is deleted. */
        Deletion: {
            /**
             * Format: date-time
             * @description A sign-in before that keeps the account.
             */
            delete_at: string;
        };
        /** @description How many sessions the request revoked. */
        EndedSessions: {
            ended: number;
        };
        Error: {
            /** @description A sentence for the user, in the language of `Accept-Language`. */
            detail: string;
            code: components["schemas"]["CodeEnum"];
            /** @description For developers. */
            messages?: {
                [key: string]: string;
            }[];
        };
        /** @description The messages of each field. `non_field_errors` is about the whole body. */
        FieldErrors: {
            [key: string]: string[];
        };
        /** @description A token of any type. Returns its claims if it would be accepted. */
        IntrospectionRequest: {
            token: string;
        };
        JWKS: {
            keys: {
                [key: string]: unknown;
            }[];
        };
        /** @enum {string} */
        KindEnum: "sign_in" | "sign_out" | "reuse" | "password" | "support" | "reported" | "ended";
        /** @enum {string} */
        LanguageEnum: "en" | "de" | "es";
        /** @description The user who is signed in. */
        Me: {
            readonly id: number;
            /** Format: email */
            readonly email: string;
            /** @description The user's name. May be empty. */
            name: string;
            /** @description The language of e-mails. Empty: that of the site. */
            language: components["schemas"]["LanguageEnum"] | components["schemas"]["BlankEnum"];
            /** Format: date-time */
            readonly date_joined: string;
        };
        PasswordChangeRequest: {
            old_password: string;
            new_password: string;
            /** @description Where to put the refresh token: `body` (the default), or `cookie` for an HttpOnly cookie, which needs a CSRF token. */
            transport?: components["schemas"]["TransportEnum"];
        };
        /** @description The user who is signed in. */
        PatchedMeRequest: {
            /** @description The user's name. May be empty. */
            name?: string;
            /** @description The language of e-mails. Empty: that of the site. */
            language?: components["schemas"]["LanguageEnum"] | components["schemas"]["BlankEnum"];
        };
        /** @description The sessions that have ended since the last cursor. */
        Revocations: {
            /** @description Send it as `after` with the next request. */
            cursor: string;
            /** @description Keep each session for this many seconds. */
            window: number;
            /** @description Refuse tokens with one of these as `sid`. */
            revoked: string[];
        };
        /** @description One sign-in on one device. */
        Session: {
            /** @description For `DELETE /api/sessions/<id>/`. */
            id: string;
            /** @description Browser and system, for example `Chrome on Windows`. */
            readonly device: string;
            /** @description `phone`, `tablet`, `computer`, or `other` for a program or an unknown device. */
            readonly device_type: string;
            /** @description The client address, if it is known. */
            ip: string | null;
            /**
             * Format: date-time
             * @description When the session began, if it is known.
             */
            signed_in: string | null;
            /**
             * Format: date-time
             * @description When it signed in or last refreshed, if it is known.
             */
            last_active: string | null;
            /** @description Whether this is the session that sent the request. */
            readonly current: boolean;
        };
        /** @description A refresh or sliding token of any generation, whose session is revoked. */
        TokenBlacklistRequest: {
            /** @description Leave it out to use the refresh cookie. */
            refresh?: string;
        };
        /** @description Signs a user in; returns the tokens of the new session. */
        TokenObtainPair: {
            /** @description Works for one refresh. Missing if it is in the cookie, or if refresh tokens are not rotated. */
            readonly refresh?: string;
            /** @description Send it with each request: `Authorization: Bearer <access>`. */
            readonly access: string;
        };
        /** @description Signs a user in; returns the tokens of the new session. */
        TokenObtainPairRequest: {
            /** @description The code of the authenticator app, or a recovery code, if the user has a second factor. */
            code?: string;
            /** @description Where to put the refresh token: `body` (the default), or `cookie` for an HttpOnly cookie, which needs a CSRF token. */
            transport?: components["schemas"]["TransportEnum"];
            /** @description `false`: the session expires SHORT_SESSION_LIFETIME after the sign-in in any case, and the refresh cookie ends with the browser. The default is `true`. */
            remember?: boolean;
            email: string;
            password: string;
        };
        /** @description Signs a user in; returns the sliding token of the new session. */
        TokenObtainSliding: {
            readonly token: string;
        };
        /** @description Signs a user in; returns the sliding token of the new session. */
        TokenObtainSlidingRequest: {
            /** @description The code of the authenticator app, or a recovery code, if the user has a second factor. */
            code?: string;
            email: string;
            password: string;
        };
        TokenRefresh: {
            /** @description Works for one refresh. Missing if it is in the cookie, or if refresh tokens are not rotated. */
            refresh?: string;
            /** @description Send it with each request: `Authorization: Bearer <access>`. */
            readonly access: string;
        };
        TokenRefreshRequest: {
            /** @description Works for one refresh. Missing if it is in the cookie, or if refresh tokens are not rotated. */
            refresh?: string;
        };
        TokenRefreshSliding: {
            token: string;
        };
        TokenRefreshSlidingRequest: {
            token: string;
        };
        /** @description A token of any type. It is valid if it would be accepted for its purpose. */
        TokenVerifyRequest: {
            token: string;
        };
        /** @enum {string} */
        TransportEnum: "body" | "cookie";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
