package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Escalation;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who may vote besides once a stage takes long. */
class EscalationTest extends Acme {
    private static final Duration HOUR = Duration.ofHours(1);

    private UUID ann;
    private UUID dan;

    @BeforeEach
    void persons() throws Exception {
        ann = reviewer("Ann");
        dan = reviewer("Dan");
        roles("Ann", List.of("treasurer"));
        roles("Dan", List.of("director"));
    }

    private static Stage stage(int quorum) {
        return new Stage("only", quorum, List.of("treasurer"), new Escalation(HOUR, List.of("director")));
    }

    /** The panel once the request has waited so long of the two hours that it has. */
    private Panel after(Duration age, Asking asking, Stage... stages) throws Exception {
        Instant made = NOW.minus(age);
        return registry.panel(
                asking, List.of(stages), new Moment(made, made.plus(HOUR).plus(HOUR), NOW));
    }

    @Test
    void thoseItEscalatesToVoteOnceTheTimeHasComeAndTheOthersStill() throws Exception {
        Asking bot = agent("bot", null);
        Panel before = after(HOUR.minusMillis(1), bot, stage(1));
        assertThat(before.rule(0, dan, List.of())).isEqualTo(lacks("treasurer"));
        assertThat(before.eligible(0, List.of())).extracting(Reviewer::name).containsExactly("Ann");
        Panel then = after(HOUR, bot, stage(1));
        assertThat(then.rule(0, dan, List.of())).isEqualTo(new May(null));
        assertThat(then.rule(0, ann, List.of())).isEqualTo(new May(null));
    }

    @Test
    void theQuorumStaysAndOnePersonFillsOnePlace() throws Exception {
        Asking bot = agent("bot", null);
        Panel then = after(HOUR, bot, stage(2));
        assertThat(then.possible(List.of(stage(2)))).isTrue();
        assertThat(then.possible(List.of(stage(3)))).isFalse();
        assertThat(then.rule(0, dan, List.of(new Review(dan, null, 0)))).isEqualTo(no(Reason.VOTED_ALREADY));
        assertThat(then.eligible(0, List.of(new Review(dan, null, 0))))
                .extracting(Reviewer::name)
                .containsExactly("Ann");
    }

    @Test
    void whoCouldApproveLaterCountsUnlessTheRequestExpiresBefore() throws Exception {
        Asking bot = agent("bot", null);
        assertThat(after(Duration.ZERO, bot, stage(2)).possible(List.of(stage(2))))
                .isTrue();
        var brief = new Moment(NOW, NOW.plus(HOUR), NOW);
        Panel never = registry.panel(bot, List.of(stage(2)), brief);
        assertThat(never.possible(List.of(stage(2)))).isFalse();
        assertThat(brief.escalates(stage(2))).isNull();
    }

    @Test
    void whomItEscalatesToOnTheRequestersSideStaysOut() throws Exception {
        Panel own = after(HOUR, user("Dan", dan), stage(1));
        assertThat(own.rule(0, dan, List.of())).isEqualTo(no(Reason.REQUESTERS_SIDE));
        owned("agent", "robot", "Dan");
        assertThat(after(HOUR, agent("robot", null), stage(1)).rule(0, dan, List.of()))
                .isEqualTo(no(Reason.REQUESTERS_SIDE));
    }

    @Test
    void whoIsNeededLaterWaitsForWhomTheFirstStageEscalatesTo() throws Exception {
        Asking bot = agent("bot", null);
        var second = new Stage("second", 1, List.of("treasurer"));
        Panel early = after(Duration.ZERO, bot, stage(1), second);
        assertThat(early.possible(List.of(stage(1), second))).isTrue();
        assertThat(early.rule(0, ann, List.of())).isEqualTo(no(Reason.NEEDED_LATER));
        assertThat(early.eligible(0, List.of())).isEmpty();
        assertThat(after(HOUR, bot, stage(1), second).eligible(0, List.of()))
                .extracting(Reviewer::name)
                .containsExactly("Dan");
    }

    @Test
    void aDelegateOfOneItEscalatesToVotesInThatPlace() throws Exception {
        UUID ben = reviewer("Ben");
        registry.delegation(acme, dan, ben, NOW, NOW.plus(DAY), null);
        Asking bot = agent("bot", null);
        assertThat(after(Duration.ZERO, bot, stage(1)).rule(0, ben, List.of())).isEqualTo(lacks("treasurer"));
        assertThat(after(HOUR, bot, stage(1)).rule(0, ben, List.of())).isEqualTo(new May(dan));
    }
}
