package dev.countersign.server.separation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Whatever ties people to who asks, whoever hands on and whatever escalates, no order of votes lets the requester's side approve or one person fill two places, and
 * what can be completed is completed in any order that is let.
 */
@ExtendWith(PostgresExtension.class)
class SeparationPropertyTest {
    private static final int COUNT = Integer.getInteger("countersign.random", 300);
    private static final long SEED = Long.getLong("countersign.seed", 20260302);

    @Test
    void noOrderOfVotesLetsTheRequestersSideApproveOrOnePersonFillTwoPlaces(PostgresAddress database) throws Exception {
        int tied = 0;
        int completed = 0;
        int delegated = 0;
        int escalated = 0;
        int handedOn = 0;
        int inHanded = 0;
        try (var registry = new Registry(database)) {
            for (int i = 0; i < COUNT; i++) {
                long seed = SEED + i;
                var world = new World(registry, seed);
                Panel panel = registry.panel(world.asking, world.stages, world.moment())
                        .handing(world.handed());
                String what = "-Dcountersign.seed=" + seed + " -Dcountersign.random=1";
                Set<String> excluded = new TreeSet<>();
                panel.excluded().forEach(id -> excluded.add(world.name(id)));
                assertThat(excluded).as(what).isEqualTo(people(world.side));
                var ballot = new Ballot(world);
                ballot.vote(panel, what);
                tied += excluded.size() > 1 ? 1 : 0;
                escalated += ballot.escalated;
                handedOn += ballot.handedOn;
                inHanded += ballot.inHanded;
                completed += panel.possible(world.stages) ? 1 : 0;
                delegated += panel.eligible(0, List.of()).stream().anyMatch(who -> who.inPlaceOf() != null) ? 1 : 0;
            }
        }
        if (COUNT >= 300) {
            assertThat(tied).as("sides of several persons").isGreaterThan(COUNT / 4);
            assertThat(completed).as("requests that can be approved").isGreaterThan(COUNT / 10);
            assertThat(escalated)
                    .as("votes that count as a stage has escalated")
                    .isGreaterThan(COUNT / 30);
            assertThat(handedOn).as("places that were handed on").isGreaterThan(COUNT / 10);
            assertThat(inHanded).as("votes in places that were handed on").isGreaterThan(COUNT / 100);
            assertThat(delegated).as("votes in another's place").isGreaterThan(COUNT / 100);
        }
    }

    private static Set<String> people(Set<String> names) {
        var people = new TreeSet<>(names);
        people.retainAll(World.PEOPLE);
        return people;
    }
}
