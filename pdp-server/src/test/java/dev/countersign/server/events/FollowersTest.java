package dev.countersign.server.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.events.Followers.Admission;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FollowersTest {
    private final List<String> woken = new ArrayList<>();
    private final Followers followers = new Followers(3, 2);

    private Runnable named(String name) {
        return () -> woken.add(name);
    }

    @Test
    void onlyTheFollowersOfTheTopicAreWoken() {
        followers.join("a", "topic of a", named("first"));
        followers.join("b", "topic of a", named("second"));
        followers.join("b", "topic of b", named("other"));
        followers.heard("topic of a");
        followers.heard("nobody");
        assertThat(woken).containsExactly("first", "second");
    }

    @Test
    void aTenantAndTheServerHaveBoundsAndWhoLeavesMakesRoom() {
        Runnable first = named("first");
        assertThat(followers.join("a", "topic of a", first)).isEqualTo(Admission.ADMITTED);
        assertThat(followers.join("a", "topic of a", named("second"))).isEqualTo(Admission.ADMITTED);
        assertThat(followers.join("a", "topic of a", named("third"))).isEqualTo(Admission.TENANT_FULL);
        assertThat(followers.join("b", "topic of b", named("b"))).isEqualTo(Admission.ADMITTED);
        assertThat(followers.join("c", "topic of c", named("c"))).isEqualTo(Admission.SERVER_FULL);
        followers.leave("a", "topic of a", first);
        followers.leave("a", "topic of a", first);
        followers.leave("c", "topic of c", named("c"));
        assertThat(followers.count()).isEqualTo(2);
        assertThat(followers.join("c", "topic of c", named("c"))).isEqualTo(Admission.ADMITTED);
        followers.heard("topic of a");
        assertThat(woken).containsExactly("second");
    }
}
