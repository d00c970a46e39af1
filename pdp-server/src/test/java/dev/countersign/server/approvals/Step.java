package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.http.Reply;

/**
 * What one client did, and what it was told.
 *
 * @param what it did
 * @param who did it
 * @param execution by which it would report, or reports; else empty
 * @param said the rest of what it said: the outcome of a report, the clock that it moved
 * @param begun when it began, in nanoseconds
 * @param ended when it had the answer
 * @param status of the answer; of a moved clock how many rows it was about
 * @param answer the body
 */
record Step(What what, String who, String execution, String said, long begun, long ended, int status, JsonNode answer) {
    /** All that can be done with an access request. */
    enum What {
        APPROVE,
        REJECT,
        ALONE,
        CANCEL,
        REVOKE,
        RESOLVE,
        USE,
        REPORT,
        SUBMIT,
        READ,
        LAPSE
    }

    static Step of(What what, String who, String execution, String said, long begun, Reply reply) {
        JsonNode answer = reply.body().isEmpty() ? Town.json() : reply.json();
        return new Step(what, who, execution, said, begun, System.nanoTime(), reply.status(), answer);
    }

    /** Whether it is a call that was let run. */
    boolean allowed() {
        return what == What.USE && status == 200 && Reply.decision(answer);
    }

    /** The decision about a call. */
    String decision() {
        return answer.at("/context/evaluation_id").asText();
    }

    boolean votes() {
        return what == What.APPROVE || what == What.REJECT;
    }

    @Override
    public String toString() {
        return "%s by %s %s %s -> %d %s [%d, %d]"
                .formatted(what, who, execution, said, status, answer, begun / 1000, ended / 1000);
    }
}
