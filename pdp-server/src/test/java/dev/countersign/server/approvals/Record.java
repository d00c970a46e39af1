package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.approvals.Model.Event;
import dev.countersign.server.http.Reply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the database holds of one request, read in one moment.
 *
 * @param events its events, in their order
 * @param row the request, its approval, its reviews and its runs
 */
record Record(List<Event> events, JsonNode row) {
    private static final String READ = "select json_build_object("
            + "'request', (select json_build_object('status', r.status, 'stage', r.stage) from approval_requests r"
            + " where r.tenant = 'demo' and r.id = $1::text::uuid),"
            + " 'approval', (select json_build_object('id', a.id, 'status', a.status, 'execution', a.execution_id,"
            + " 'decision', a.decision) from approvals a where a.tenant = 'demo' and a.request = $1::text::uuid),"
            + " 'reviews', (select json_agg(json_build_object('person', p.name, 'stage', v.stage, 'vote', v.vote))"
            + " from approval_reviews v join persons p on p.id = v.person where v.request = $1::text::uuid),"
            + " 'runs', (select json_agg(json_build_object('execution', x.execution_id, 'status', x.status, 'decision',"
            + " x.decision)) from action_executions x join approvals a on a.id = x.approval where a.request = $1::text::uuid),"
            + " 'events', (select json_agg(e.body::json order by e.number) from events e where e.tenant = 'demo'"
            + " and e.number > $2 and e.type like 'approval.%' and e.body::json->>'subject' = $1))::text";

    /** What is there by now of a request, all of whose events are behind this one. */
    static Record of(Town town, String request, long behind) {
        JsonNode all = Reply.parse(town.rows().all(READ, request, behind).get(0).getString(0));
        var events = new ArrayList<Event>();
        for (JsonNode event : all.path("events")) {
            JsonNode data = event.path("data");
            events.add(new Event(
                    event.path("type").asText().substring("approval.".length()),
                    data.path("by").asText(),
                    town.name(data.path("person").asText()),
                    data.path("execution_id").asText(),
                    data.path("use_decision_id").asText()));
        }
        return new Record(events, all);
    }

    static long last(Town town) {
        return town.rows()
                .all("select coalesce(max(number), 0) from events")
                .get(0)
                .getLong(0);
    }

    String request() {
        return row.at("/request/status").asText();
    }

    /** Of the approval; empty where there is nothing. */
    String approval(String member) {
        JsonNode value = row.path("approval").path(member);
        return value.isNull() ? "" : value.asText();
    }

    /** Each vote by who cast it, as `vote in round`. */
    Map<String, String> reviews() {
        var reviews = new HashMap<String, String>();
        row.path("reviews")
                .forEach(one -> reviews.merge(
                        one.path("person").asText(),
                        one.path("vote").asText() + " in " + one.path("stage").asInt(),
                        (a, b) -> a + " and " + b));
        return reviews;
    }

    /** What is known of a run: status and decision; empty if nothing is. */
    String run(String execution) {
        for (JsonNode run : row.path("runs")) {
            if (run.path("execution").asText().equals(execution)) {
                return run.path("status").asText() + " by "
                        + run.path("decision").asText();
            }
        }
        return "";
    }
}
