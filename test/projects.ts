/**
 * Tests that need no server of their own and no program but Node; a pattern ends in `.test.ts` or names a folder. A test
 * that is not here and not below is one of `integration`, which has Postgres and Redis.
 */
export const unit = [
  "test/alerts/alerts.test.ts",
  "test/api/http/{contract-routes,fields,networks,preferences}.test.ts",
  "test/api/request-lists.test.ts",
  "test/autoscale/model.test.ts",
  "test/clients/schemas.test.ts",
  "test/config.test.ts",
  "test/config/{addresses,strength,unsafe}.test.ts",
  "test/dev/{checks,given-servers,keep-running,yookassa}.test.ts",
  "test/dev/demo/{balances,business,orders,payments,people,prices,stock,waybills}.test.ts",
  "test/docs/*.test.ts",
  "test/engine/liveness.test.ts",
  "test/engine/scaling/desired-workers.test.ts",
  "test/environment.test.ts",
  "test/jobs/contracts.test.ts",
  "test/openapi-checker.test.ts",
  "test/plain-english.test.ts",
  "test/projects.test.ts",
  "test/start-scripts.test.ts",
  "test/platform/payments/*.test.ts",
  "test/platform/postgres/{address,session-state}.test.ts",
  "test/platform/{batch,delivery-probe,kept-file,logger,outbound-url,rate-limits,redact,request-target,while-unreachable}.test.ts",
  "test/services/audit/without-secrets.test.ts",
  "test/services/business-day.test.ts",
  "test/services/catalogue/slug.test.ts",
  "test/services/documents/kinds/{amount-in-words,payment-code}.test.ts",
  "test/services/mail/web-addresses.test.ts",
  "test/services/orders/prices.test.ts",
  "test/workers/documents/{csv,docx,pdf,utf8,xlsx}.test.ts",
  "test/workers/mail/{compose,salutations}.test.ts",
];

/**
 * Tests that go through everything there is, kill what they test, or try random sequences: minutes of two cores. They
 * run in .ci/run and in ci.yml, the longest first.
 */
export const slow = [
  "test/chaos.test.ts",
  "test/api/http/socket-walk.test.ts",
  "test/api/board/rights.test.ts",
  "test/services/operations/job-rights.test.ts",
  "test/dev/stack.test.ts",
  "test/flows/documents.test.ts",
  "test/helm/unsafe.test.ts",
  "test/flows/newsletter.test.ts",
  "test/dev/demo/loaded.test.ts",
  "test/flows/erasure-kills.test.ts",
  "test/flows/outages.test.ts",
  "test/platform/s3-stores.test.ts",
  "test/flows/private-authority.test.ts",
  "test/api/routes/orders/order-retries.test.ts",
  "test/workers/mail/hostile-mails.test.ts",
  "test/helm/guards.test.ts",
  "test/api/security/injection.test.ts",
  "test/services/payments/books-model.test.ts",
  "test/services/stock/commit-waybill-model.test.ts",
  "test/engine/ledger-model.test.ts",
];
