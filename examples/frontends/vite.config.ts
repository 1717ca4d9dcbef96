import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The paths of Django. All others belong to the app. Caddyfile and nginx.conf have the same ones.
const DJANGO =
  "^/(\\.well-known|2fa|3rdparty|_allauth|account|admin|api|confirm-email|email|icon\\.svg|inactive|jsi18n|login|logout|password|reauthenticate|report|signup|social|static|theme\\.css)(/|$)";

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      [DJANGO]: {
        target: process.env["DJANGO"] ?? "http://127.0.0.1:8000",
        // A target without these braces would replace the Host header, and Django would refuse the
        // sign-in: the origin of the browser would be another one.
        changeOrigin: false,
      },
    },
  },
});
