// Has the day's wholesale price list made over the API and waits for it; exit code 1 when it is not made in time.
const { API_URL, API_KEY, TIMEOUT_SECONDS = "180" } = process.env;
const deadline = Date.now() + TIMEOUT_SECONDS * 1_000;
const key = `helm-test-${Date.now()}`;

async function ask() {
  const response = await fetch(`${API_URL}/documents/price`, {
    method: "POST",
    headers: { "api-key": API_KEY, "idempotency-key": key, prefer: "wait=20" },
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: await response.text() };
}

for (;;) {
  const answer = await ask().catch((error) => ({ status: 0, body: String(error.cause ?? error) }));
  console.log(answer.status, answer.body);
  if (answer.status === 200) process.exit(0);
  // Refused: another try would be, too.
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) process.exit(1);
  if (Date.now() > deadline) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
}
