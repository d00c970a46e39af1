package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.Reply;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The name of a run is that of one run: no other approval, and no other try, is used or reported under it. */
@ExtendWith(PostgresExtension.class)
class RunNamesTest {
    private static final String NOT_STARTED = "{\"outcome\": \"failed\", \"not_started\": true}";
    private static final String SUCCEEDED = "{\"outcome\": \"succeeded\"}";

    private static Town town;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        town = new Town(database);
    }

    @AfterAll
    static void stop() throws IOException {
        town.close();
    }

    private static boolean runs(ObjectNode call, String approval, String run) {
        Reply reply = town.evaluate(0, Town.AGENT, Town.with(call, approval, run));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.decision();
    }

    private static String status(String approval) {
        return town.rows()
                .all("select status from approvals where id::text = $1", approval)
                .get(0)
                .getString(0);
    }

    @Test
    void aNameThatWaitsForItsReportIsRefusedForAnotherApproval() {
        ObjectNode first = Town.call("one", "first");
        ObjectNode second = Town.call("one", "second");
        String one = town.approved(first, "first");
        String two = town.approved(second, "second");
        assertThat(runs(first, one, "shared")).isTrue();
        boolean again = runs(second, two, "shared");
        assertThat(town.report(0, Town.AGENT, "shared", SUCCEEDED).status()).isEqualTo(200);
        assertThat(again ? status(two) : "refused").isIn("refused", "consumed");
    }

    @Test
    void aNameThatWasReportedIsRefusedForAnotherApproval() {
        ObjectNode first = Town.call("one", "third");
        ObjectNode second = Town.call("one", "fourth");
        String one = town.approved(first, "third");
        String two = town.approved(second, "fourth");
        assertThat(runs(first, one, "done")).isTrue();
        assertThat(town.report(0, Town.AGENT, "done", SUCCEEDED).status()).isEqualTo(200);
        boolean again = runs(second, two, "done");
        Reply report = town.report(0, Town.AGENT, "done", SUCCEEDED);
        assertThat(again ? status(two) : "refused").as(report.body()).isIn("refused", "consumed");
    }

    @Test
    void aReportThatComesTwiceDoesNotFreeALaterRun() {
        ObjectNode call = Town.call("one", "twice");
        String approval = town.approved(call, "twice");
        assertThat(runs(call, approval, "try")).isTrue();
        assertThat(town.report(0, Town.AGENT, "try", NOT_STARTED).status()).isEqualTo(200);
        boolean again = runs(call, approval, "try");
        assertThat(town.report(0, Town.AGENT, "try", NOT_STARTED).status()).isEqualTo(200);
        assertThat(again && runs(call, approval, "another"))
                .as("two runs at once")
                .isFalse();
    }

    @Test
    void theRunIsKeptWithTheDecisionThatLetItRun() {
        ObjectNode call = Town.call("one", "kept");
        String approval = town.approved(call, "kept");
        assertThat(runs(call, approval, "keep")).isTrue();
        assertThat(town.report(0, Town.AGENT, "keep", NOT_STARTED).status()).isEqualTo(200);
        if (runs(call, approval, "keep")) {
            Reply told = town.report(0, Town.AGENT, "keep", SUCCEEDED);
            assertThat(town.report(0, Town.AGENT, "keep", SUCCEEDED).body()).isEqualTo(told.body());
        }
    }

    @Test
    void aRunThatAHumanHadFreedAndThatIsReportedAfterAllUsesTheApprovalUp() {
        ObjectNode call = Town.call("one", "after all");
        String approval = town.approved(call, "after-all");
        assertThat(runs(call, approval, "slow")).isTrue();
        assertThat(town.report(0, Town.AGENT, "slow", "{\"outcome\": \"unknown\"}")
                        .status())
                .isEqualTo(200);
        String request = town.rows()
                .all("select request::text from approvals where id = $1::text::uuid", approval)
                .get(0)
                .getString(0);
        assertThat(town.act(1, "bo", request, "resolve", "{\"ran\": false}").status())
                .isEqualTo(200);
        Reply report = town.report(0, Town.AGENT, "slow", SUCCEEDED);
        assertThat(report.status()).as(report.body()).isEqualTo(200);
        assertThat(status(approval)).isEqualTo("consumed");
        assertThat(runs(call, approval, "again")).isFalse();
    }

    @Test
    void aSubmissionWithTheKeyOfAnotherTaskIsRefused() {
        ObjectNode first = town.submission(0, Town.AGENT, Town.call("one", "a"));
        ObjectNode second = town.submission(0, Town.AGENT, Town.call("one", "b"));
        assertThat(town.submit(0, Town.AGENT, first, "key-a").status()).isEqualTo(202);
        assertThat(town.submit(0, Town.AGENT, second, "key-b").status()).isEqualTo(202);
        Reply mixed = town.submit(0, Town.AGENT, first, "key-b");
        assertThat(mixed.status()).as(mixed.body()).isEqualTo(409);
    }
}
