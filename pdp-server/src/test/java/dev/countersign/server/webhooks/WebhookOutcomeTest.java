package dev.countersign.server.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.egress.Answer;
import dev.countersign.server.webhooks.Delivery.Status;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How an attempt is signed, and when the next one is. */
class WebhookOutcomeTest {
    private static final Instant NOW = Instant.parse("2026-03-02T09:00:00Z");

    private static Answer answer(int status, Map<String, List<String>> headers) {
        return new Answer(status, headers, Buffer.buffer());
    }

    @Test
    void aSignatureIsTheOneOfTheSpecificationsExample() {
        var secret = new Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assertThat(secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330L, "{\"test\": 2432232314}".getBytes()))
                .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @Test
    void eachWaitIsAsLongAsTheTableSaysAndAtMostAFifthMore() {
        var random = new Random(3);
        for (int attempt = 1; attempt <= Outcome.BACKOFF.size(); attempt++) {
            Duration least = Outcome.BACKOFF.get(attempt - 1);
            for (int i = 0; i < 100; i++) {
                Outcome outcome = Outcome.of(answer(500, Map.of()), attempt, NOW, random);
                assertThat(outcome.retryAt())
                        .as("attempt %d, seed 3", attempt)
                        .isBetween(
                                NOW.plus(least), NOW.plus(least.multipliedBy(6).dividedBy(5)));
            }
        }
        assertThat(Outcome.of(answer(500, Map.of()), Outcome.BACKOFF.size() + 1, NOW, random))
                .returns(Status.DEAD, Outcome::end)
                .returns(null, Outcome::retryAt);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "120|120",
                "Mon, 2 Mar 2026 09:10:00 GMT|600",
                "Mon, 2 Mar 2026 08:00:00 GMT|5",
                "1|5",
                "999999999|86400",
                "99999999999999999999|5",
                "-1|5",
                "soon|5"
            })
    void aReceiverMaySayWhenItWantsToBeCalledWithinADay(String retryAfter, long seconds) {
        Outcome outcome = Outcome.of(answer(429, Map.of("retry-after", List.of(retryAfter))), 1, NOW, new Random(3));
        Duration least = Duration.ofSeconds(seconds);
        assertThat(outcome.retryAt())
                .isBetween(NOW.plus(least), NOW.plus(least.multipliedBy(6).dividedBy(5)));
    }
}
