import { cutSmtp, smtpCuts } from "../faults/catalogue.ts";
import { inflict } from "../faults/inflict.ts";
import { runScenario } from "../run.ts";
import { type Refusal, refusalStages } from "../servers/mail-sink.ts";
import type { Gate } from "./gate.ts";

const windowMs = 60_000;
const cutsAtEachPlace = 25;
const repliesOfEach = 4;
const codes = [421, 450, 451, 452, 550, 553, 554];

export const mailGate: Gate = {
  name: "MAIL",
  promise:
    "Each SMTP code at each stage, and cuts at each class of bytes: a mail arrives once, or was refused for good and says so.",
  isLong: true,
  async run(options) {
    const { seed, log, progress, jobs = 4_000 } = options;
    const refused = { forGood: 0 };
    const run = await runScenario({
      ...{ name: "MAIL", seed, jobs, windowMs, log, progress },
      failing: () => refused.forGood,
      async attack({ stack, random, timeline, complain, note }) {
        const places = Object.keys(smtpCuts) as (keyof typeof smtpCuts)[];
        const cuts = places.flatMap((place) => Array.from({ length: cutsAtEachPlace / 5 }, () => cutSmtp(place, 5)));
        const replies = refusalStages.flatMap((stage) =>
          codes.flatMap((code) => Array.from({ length: repliesOfEach }, (): Refusal => ({ stage, code }))),
        );
        stack.sink.refusals.push(...random.shuffle(replies));
        await inflict(stack, random, random.shuffle(cuts), { windowMs, timeline });
        const left = stack.sink.refusals.length;
        if (left > 0) complain(`${left} of ${replies.length} refusals were never asked for`);
        const made = stack.proxies.smtp.state.cuts;
        if (made < cutsAtEachPlace * places.length)
          complain(`Only ${made} of ${cutsAtEachPlace * places.length} dialogues were cut`);
        refused.forGood = stack.sink.refusedForGood();
        note(`${replies.length} refusals, ${refused.forGood} of them for good; ${made} dialogues cut.`);
      },
    });
    options.ran(run);
    return [run];
  },
};
