import { findJob } from "../../db/ledger.ts";
import { requestReprocessing } from "../../services/images.ts";
import { defineRoute } from "../define-route.ts";
import { Problem } from "../problem.ts";
import { JobLink, jobLink } from "../views/job.ts";

export const imageRoutes = [
  defineRoute({
    method: "post",
    path: "/images/reprocess",
    summary: "Make the web images of all published pictures anew",
    description: "For when the recipe has changed: pictures that the present one has made are left as they are.",
    tag: "Jobs",
    access: "EMPLOYEE",
    act: { act: "start", kind: "reprocess-images" },
    idempotent: true,
    responses: { 202: JobLink, 401: Problem, 403: Problem },
    handle({ publicUrl }, { commit }) {
      return commit(async (tx) => {
        const job = await findJob(tx, await requestReprocessing(tx));
        if (!job) throw new Error("The job that was just promised is not there");
        const link = jobLink(job, publicUrl);
        return { status: 202, body: link, headers: { location: link.url } };
      });
    },
  }),
];
