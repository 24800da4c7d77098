import { findJob } from "../../../engine/index.ts";
import { requestReprocessing } from "../../../services/catalogue/images.ts";
import { defineRoute } from "../../http/define-route.ts";
import { Problem } from "../../http/problem.ts";
import { JobLink, jobLink } from "../../views/job.ts";

export const imageRoutes = [
  defineRoute({
    method: "post",
    path: "/images/reprocess",
    summary: "Reprocess all published images",
    description: "After a change of the recipe; images of the current recipe are skipped.",
    tag: "Jobs",
    access: "EMPLOYEE",
    act: { act: "start", kind: "reprocess-images" },
    idempotent: true,
    responses: { 202: JobLink, 401: Problem, 403: Problem },
    handle({ publicUrl }, { commit }) {
      return commit(async (tx) => {
        const job = await findJob(tx, await requestReprocessing(tx));
        if (!job) throw new Error("The job that was just enqueued is missing");
        const link = jobLink(job, publicUrl);
        return { status: 202, body: link, headers: { location: link.url } };
      });
    },
  }),
];
