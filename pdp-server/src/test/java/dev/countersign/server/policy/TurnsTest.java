package dev.countersign.server.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final Turns turns = new Turns(2, 3);
    private final List<String> begun = new ArrayList<>();

    private Future<String> ask(String name, String work, Promise<String> promise) {
        return turns.after(name, () -> {
            begun.add(work);
            return promise.future();
        });
    }

    @Test
    void underOneNameOneFollowsTheOtherHoweverThatEnded() {
        Promise<String> first = Promise.promise();
        Future<String> one = ask("a", "1", first);
        Future<String> two = ask("a", "2", Promise.promise());
        assertThat(begun).containsExactly("1");
        first.fail("no");
        assertThat(one.failed()).isTrue();
        assertThat(two.isComplete()).isFalse();
        assertThat(begun).containsExactly("1", "2");
    }

    @Test
    void whoHasManyHoldsUpNobodyElse() {
        ask("a", "1", Promise.promise());
        ask("a", "2", Promise.promise());
        ask("b", "3", Promise.promise());
        assertThat(begun).containsExactly("1", "3");
    }

    @Test
    void asManyWaitAsMay() {
        Promise<String> first = Promise.promise();
        ask("a", "1", first);
        ask("a", "2", Promise.promise());
        assertThat(ask("a", "3", Promise.promise()).cause()).isInstanceOf(Turns.TooMany.class);
        ask("b", "4", Promise.promise());
        assertThat(ask("c", "5", Promise.promise()).cause()).isInstanceOf(Turns.TooMany.class);
        first.complete("done");
        ask("c", "6", Promise.promise());
        assertThat(begun).containsExactly("1", "4", "2", "6");
    }
}
