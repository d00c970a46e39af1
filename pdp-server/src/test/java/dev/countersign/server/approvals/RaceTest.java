package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.Reply;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever comes at the same moment, on whichever server: one wins, and the others are told so. */
@ExtendWith(PostgresExtension.class)
class RaceTest {
    private static final int MANY = 64;

    private static final ExecutorService CLIENTS = Executors.newFixedThreadPool(MANY);
    private static Town town;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        town = new Town(database);
    }

    @AfterAll
    static void stop() throws IOException {
        CLIENTS.shutdownNow();
        town.close();
    }

    /** What so many clients get who all begin at once. */
    private static <T> List<T> atOnce(int count, IntFunction<T> each) throws Exception {
        var start = new CountDownLatch(1);
        var running = new ArrayList<Future<T>>();
        for (int i = 0; i < count; i++) {
            int number = i;
            running.add(CLIENTS.submit(() -> {
                start.await();
                return each.apply(number);
            }));
        }
        start.countDown();
        var done = new ArrayList<T>();
        for (Future<T> one : running) {
            done.add(one.get(60, TimeUnit.SECONDS));
        }
        return done;
    }

    private static String name(String what, RepetitionInfo round) {
        return what + "-" + round.getCurrentRepetition();
    }

    private static long allowed(List<Reply> answers) {
        assertThat(answers)
                .allSatisfy(
                        answer -> assertThat(answer.status()).as(answer.body()).isEqualTo(200));
        return answers.stream().filter(Reply::decision).count();
    }

    private static String request(String approval) {
        return town.rows()
                .all("select request::text from approvals where id::text = $1", approval)
                .get(0)
                .getString(0);
    }

    @RepeatedTest(20)
    void sixtyFourUsesOfOneApprovalAreAllowedOnce(RepetitionInfo round) throws Exception {
        ObjectNode call = Town.call("one", name("use", round));
        String approval = town.approved(call, name("use", round));
        ObjectNode use = Town.with(call, approval, "");
        List<Reply> answers = atOnce(MANY, i -> town.evaluate(i, Town.AGENT, use));
        assertThat(allowed(answers)).isEqualTo(1);
        assertThat(answers.stream()
                        .filter(answer -> !answer.decision())
                        .map(answer -> answer.json().at("/context/reason").asText()))
                .containsOnly("approval_expired");
        assertThat(town.events(request(approval))).containsExactly("requested", "approved", "consumed");
    }

    @RepeatedTest(5)
    void sixtyFourUsesThatAreReportedTogetherAreOneUse(RepetitionInfo round) throws Exception {
        ObjectNode call = Town.call("one", name("run", round));
        String approval = town.approved(call, name("run", round));
        ObjectNode use = Town.with(call, approval, name("run", round));
        assertThat(allowed(atOnce(MANY, i -> town.evaluate(i, Town.AGENT, use))))
                .isEqualTo(MANY);
        assertThat(town.events(request(approval))).containsExactly("requested", "approved", "reserved");
    }

    @RepeatedTest(5)
    void ofUsesThatAreReportedApartOneNameWins(RepetitionInfo round) throws Exception {
        ObjectNode call = Town.call("one", name("apart", round));
        String approval = town.approved(call, name("apart", round));
        List<Reply> answers = atOnce(
                MANY, i -> town.evaluate(i, Town.AGENT, Town.with(call, approval, name("apart" + i / 2 % 4, round))));
        assertThat(allowed(answers)).isEqualTo(MANY / 4);
        assertThat(town.events(request(approval))).containsExactly("requested", "approved", "reserved");
    }

    @RepeatedTest(20)
    void ofAnApprovalARefusalACancellationAndTheClockOneEndsTheRequest(RepetitionInfo round) throws Exception {
        ObjectNode call = Town.call("one", name("end", round));
        String key = name("end", round);
        String request = town.submit(0, Town.AGENT, town.submission(0, Town.AGENT, call), key)
                .json()
                .at("/task/id")
                .asText();
        List<Integer> answers = atOnce(8, i -> switch (i % 4) {
            case 0 ->
                town.vote(i / 4, List.of("dana", "lee").get(i / 4), request, "approve")
                        .status();
            case 1 ->
                town.vote(i / 4, List.of("max", "bo").get(i / 4), request, "reject")
                        .status();
            case 2 -> town.cancel(i / 4, Town.AGENT, request).status();
            default -> {
                town.rows()
                        .execute(
                                "update approval_requests set decide_by = now() - interval '1 second' where"
                                        + " id::text = $1",
                                request);
                town.sweep();
                yield 409;
            }
        });
        assertThat(answers).allMatch(status -> status == 200 || status == 409);
        List<String> events = town.events(request);
        assertThat(events).hasSize(2).first().isEqualTo("requested");
        assertThat(events.get(1)).isIn("approved", "denied", "cancelled", "expired");
        assertThat(answers.stream().filter(status -> status == 200).count())
                .isEqualTo(events.get(1).equals("expired") ? 0 : 1);
        assertThat(town.rows()
                        .all("select status from approval_requests where id::text = $1", request)
                        .get(0)
                        .getString(0))
                .isEqualTo(events.get(1));
    }

    @RepeatedTest(10)
    void theSameSubmissionFromManyIsOneTask(RepetitionInfo round) throws Exception {
        ObjectNode submission = town.submission(0, Town.AGENT, Town.call("one", name("same", round)));
        List<Reply> answers = atOnce(16, i -> town.submit(i, Town.AGENT, submission, name("same", round)));
        Set<String> tasks = new TreeSet<>();
        answers.forEach(answer -> tasks.add(answer.json().at("/task/id").asText()));
        assertThat(answers).extracting(Reply::status).containsOnly(200, 202);
        assertThat(answers.stream().filter(answer -> answer.status() == 202)).hasSize(1);
        assertThat(tasks).hasSize(1);
        assertThat(town.events(tasks.iterator().next())).containsExactly("requested");
    }

    @RepeatedTest(5)
    void oneIdempotencyKeyForManySubmissionsIsOneTaskAndRefusedForTheOthers(RepetitionInfo round) throws Exception {
        List<ObjectNode> submissions = Stream.iterate(0, i -> i + 1)
                .limit(8)
                .map(i -> town.submission(i, Town.AGENT, Town.call("one", name("key", round))))
                .toList();
        List<Reply> answers = atOnce(8, i -> town.submit(i, Town.AGENT, submissions.get(i), name("key", round)));
        assertThat(answers.stream().filter(answer -> answer.status() == 202)).hasSize(1);
        assertThat(answers.stream().filter(answer -> answer.status() == 409)).hasSize(7);
    }
}
