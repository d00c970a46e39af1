package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.approvals.Step.What;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Whatever eight clients do at once on two servers: no move that the lifecycles do not have, no second use, no lost vote, and
 * the events, the decisions and the rows tell the same.
 */
@ExtendWith(PostgresExtension.class)
class ApprovalsModelTest {
    private static final int COUNT = Integer.getInteger("countersign.random", 300);
    private static final long SEED = Long.getLong("countersign.seed", 20261122);

    private final Map<String, Integer> seen = new TreeMap<>();
    private final Set<String> allowed = new TreeSet<>();
    private int presented;

    @Test
    void noOrderOfWhatClientsDoLeavesTheModel(@AsOwner PostgresAddress database) throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(Sequence.CLIENTS);
        try (var town = new Town(database)) {
            for (int i = 0; i < COUNT; i++) {
                sequence(town, clients, SEED + i);
            }
            decisions(town);
        } finally {
            clients.shutdownNow();
        }
        if (COUNT >= 300) {
            // What hardly ever happens is not tested.
            assertThat(seen.keySet())
                    .contains(
                            "requested",
                            "reviewed",
                            "approved",
                            "break_glass",
                            "revoked",
                            "denied",
                            "expired",
                            "cancelled",
                            "reserved",
                            "consumed",
                            "freed",
                            "lapsed",
                            "in_doubt");
            assertThat(seen.get("approved")).as(seen.toString()).isGreaterThan(COUNT / 2);
            assertThat(seen.get("consumed")).as(seen.toString()).isGreaterThan(COUNT / 10);
        }
    }

    private void sequence(Town town, ExecutorService clients, long seed) throws Exception {
        long behind = Record.last(town);
        try {
            for (Asked asked : new Sequence(town, seed).run(clients)) {
                Record record = Record.of(town, asked.id, behind);
                record.events().forEach(event -> seen.merge(event.kind(), 1, Integer::sum));
                try {
                    new Judge(town, asked, record).judge();
                } catch (AssertionError e) {
                    throw new AssertionError(
                            asked.action + " by " + asked.requester + "\n" + record.row() + "\n" + story(asked), e);
                }
                asked.steps.stream().filter(step -> step.what() == What.USE).forEach(step -> {
                    presented++;
                    if (step.allowed()) {
                        allowed.add(step.decision());
                    }
                });
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("-Dcountersign.seed=" + seed + " -Dcountersign.random=1", e);
        }
    }

    private static String story(Asked asked) {
        var story = new StringBuilder();
        asked.steps.stream()
                .sorted((a, b) -> Long.compare(a.begun(), b.begun()))
                .forEach(step -> story.append(step).append('\n'));
        return story.toString();
    }

    private void decisions(Town town) {
        RunningServer.until(
                "every decision about an approval is in the table",
                () -> town.rows()
                                .all("select count(*) from decisions where entry::json->'approval' is not null")
                                .get(0)
                                .getLong(0)
                        >= presented);
        var used = new TreeSet<String>();
        town.rows()
                .all("select id::text from decisions where entry::json->'approval'->>'used' = 'true'")
                .forEach(row -> used.add(row.getString(0)));
        assertThat(used).as("-Dcountersign.seed=" + SEED).isEqualTo(allowed);
    }
}
