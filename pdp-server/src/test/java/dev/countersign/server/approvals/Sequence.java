package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.approvals.Step.What;
import dev.countersign.server.http.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Eight clients on two servers, each doing at random what can be done with a few access requests that they share. */
final class Sequence {
    static final int CLIENTS = 8;
    private static final int REQUESTS = 2;
    private static final int STEPS = 4;
    private static final List<String> NAMES = List.of("ann", "bo", "carol", "dana", "lee", "max");
    private static final List<String> RECEIPTS = List.of(
            "{\"outcome\": \"succeeded\"}",
            "{\"outcome\": \"failed\", \"error_class\": \"timeout\"}",
            "{\"outcome\": \"unknown\"}",
            "{\"outcome\": \"failed\", \"not_started\": true}");

    private final Town town;
    private final long seed;
    private final List<Asked> asked = new ArrayList<>();

    Sequence(Town town, long seed) {
        this.town = town;
        this.seed = seed;
    }

    /** Does all of it, and returns the requests with what was done. */
    List<Asked> run(ExecutorService clients) throws Exception {
        var random = new Random(seed);
        for (int i = 0; i < REQUESTS; i++) {
            asked.add(ask(random, i));
        }
        var running = new ArrayList<Future<?>>();
        for (int i = 0; i < CLIENTS; i++) {
            int server = i;
            var own = new Random(random.nextLong());
            running.add(clients.submit(() -> {
                for (int step = 0; step < STEPS; step++) {
                    step(asked.get(own.nextInt(asked.size())), own, server);
                }
            }));
        }
        for (Future<?> client : running) {
            client.get(120, TimeUnit.SECONDS);
        }
        return asked;
    }

    private Asked ask(Random random, int number) {
        String action = pick(random, List.of("one", "two", "rounds", Town.ALONE));
        String requester = random.nextInt(3) == 0 ? pick(random, List.of("ann", "dana", "lee")) : Town.AGENT;
        String key = "seq-" + seed + "-" + number;
        ObjectNode call = Town.call(action, key);
        ObjectNode submission = town.submission(number, requester, call);
        long begun = System.nanoTime();
        Reply task = town.submit(number, requester, submission, key);
        assertThat(task.status()).as(task.body()).isEqualTo(202);
        var made = new Asked(
                action,
                requester,
                call,
                submission,
                key,
                task.json().at("/task/id").asText());
        made.steps.add(Step.of(What.SUBMIT, requester, "", "", begun, task));
        return made;
    }

    private static <T> T pick(Random random, List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private void step(Asked on, Random random, int server) {
        boolean granted = !on.approval.isEmpty();
        int dice = random.nextInt(100);
        if (dice < 4) {
            read(on, server, granted);
        } else if (dice < 7) {
            resubmit(on, server);
        } else if (dice < 10) {
            town.sweep();
        } else if (dice < (granted ? 14 : 72)) {
            vote(on, random, server);
        } else if (dice < (granted ? 15 : 80)) {
            alone(on, random, server);
        } else if (dice < (granted ? 18 : 85)) {
            cancel(on, random, server);
        } else if (dice < (granted ? 20 : 86)) {
            revoke(on, random, server);
        } else if (dice < (granted ? 28 : 87)) {
            resolve(on, random, server);
        } else if (dice < (granted ? 36 : 91)) {
            lapse(on, pick(random, granted ? List.of("use_by", "report_by") : List.of("decide_by")));
        } else if (!granted) {
            read(on, server, true);
        } else if (dice < 72) {
            use(on, random, server);
        } else {
            report(on, random, server);
        }
    }

    private void vote(Asked on, Random random, int server) {
        String who = pick(random, NAMES);
        boolean approves = random.nextInt(8) > 0;
        long begun = System.nanoTime();
        Reply reply = town.vote(server, who, on.id, approves ? "approve" : "reject");
        on.steps.add(Step.of(approves ? What.APPROVE : What.REJECT, who, "", "", begun, reply));
        if (reply.status() == 200 && reply.json().has("approval")) {
            on.approval = reply.json().at("/approval/id").asText();
        }
    }

    private void alone(Asked on, Random random, int server) {
        String who = pick(random, NAMES);
        long begun = System.nanoTime();
        Reply reply = town.act(server, who, on.id, "break-glass", "{\"reason\": \"the plant floods\"}");
        on.steps.add(Step.of(What.ALONE, who, "", "", begun, reply));
        if (reply.status() == 200) {
            on.approval = reply.json().at("/approval/id").asText();
        }
    }

    private void revoke(Asked on, Random random, int server) {
        String who = pick(random, List.of(on.requester, Town.RIVAL, Town.ADMIN, "bo"));
        long begun = System.nanoTime();
        on.steps.add(Step.of(What.REVOKE, who, "", "", begun, town.act(server, who, on.id, "revoke", "{}")));
    }

    private void resolve(Asked on, Random random, int server) {
        String who = pick(random, NAMES);
        String ran = "{\"ran\": " + random.nextBoolean() + "}";
        long begun = System.nanoTime();
        on.steps.add(Step.of(What.RESOLVE, who, "", ran, begun, town.act(server, who, on.id, "resolve", ran)));
    }

    private void cancel(Asked on, Random random, int server) {
        String who = pick(random, List.of(on.requester, Town.RIVAL, Town.ADMIN));
        long begun = System.nanoTime();
        on.steps.add(Step.of(What.CANCEL, who, "", "", begun, town.cancel(server, who, on.id)));
    }

    private void use(Asked on, Random random, int server) {
        String who = random.nextInt(10) == 0 ? Town.RIVAL : on.requester;
        String execution = pick(random, List.of("", on.key + "-a", on.key + "-a", on.key + "-b"));
        long begun = System.nanoTime();
        Reply reply = town.evaluate(server, who, Town.with(on.call, on.approval, execution));
        on.steps.add(Step.of(What.USE, who, execution, "", begun, reply));
    }

    private void report(Asked on, Random random, int server) {
        String who = random.nextInt(10) == 0 ? Town.RIVAL : on.requester;
        String execution = pick(random, List.of(on.key + "-a", on.key + "-a", on.key + "-b"));
        String receipt = pick(random, RECEIPTS);
        long begun = System.nanoTime();
        on.steps.add(
                Step.of(What.REPORT, who, execution, receipt, begun, town.report(server, who, execution, receipt)));
    }

    private void read(Asked on, int server, boolean task) {
        String path = task ? Town.REQUESTS : Town.APPROVALS;
        String who = task ? on.requester : "bo";
        long begun = System.nanoTime();
        Reply reply = town.get(server, who, path + "/" + on.id);
        on.steps.add(Step.of(What.READ, who, "", task ? "task" : "approval", begun, reply));
        String granted =
                reply.json().at(task ? "/result/approval/id" : "/approval/id").asText();
        if (!granted.isEmpty()) {
            on.approval = granted;
        }
    }

    private void resubmit(Asked on, int server) {
        long begun = System.nanoTime();
        Reply reply = town.submit(server, on.requester, on.submission, on.key);
        on.steps.add(Step.of(What.SUBMIT, on.requester, "", "again", begun, reply));
    }

    private void lapse(Asked on, String clock) {
        String table = clock.equals("decide_by") ? "approval_requests" : "approvals";
        String of = clock.equals("decide_by") ? "id" : "request";
        String during = switch (clock) {
            case "decide_by" -> "pending";
            case "use_by" -> "active";
            default -> "reserved";
        };
        long begun = System.nanoTime();
        int rows = town.rows()
                .execute(
                        "update " + table + " set " + clock + " = now() - interval '1 second' where " + of
                                + " = $1::text::uuid and status = $2",
                        on.id,
                        during);
        on.steps.add(new Step(What.LAPSE, "", "", clock, begun, System.nanoTime(), rows, Town.json()));
    }
}
