package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.approvals.Model.Event;
import dev.countersign.server.approvals.Model.State;
import dev.countersign.server.approvals.Step.What;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Whether what many clients were told of one request can all be true: the events are a path of the model, the rows are where
 * that path ends, every change that a client was told of is an event and the other way round, in an order that fits to when
 * things were asked and answered, and every other answer is right in a state that there may have been at the time.
 */
final class Judge {
    private static final String EXPIRED = "approval_expired";

    private final Town town;
    private final Asked asked;
    private final Model model;
    private final Record record;
    private final List<Step> steps;
    private final List<State> states;
    /** When each event happened at the earliest and at the latest. */
    private final long[] earliest;

    private final long[] latest;

    Judge(Town town, Asked asked, Record record) {
        this.town = town;
        this.asked = asked;
        this.model = new Model(asked);
        this.record = record;
        this.steps = List.copyOf(asked.steps);
        this.states = model.replay(record.events());
        this.earliest = new long[states.size()];
        this.latest = new long[states.size()];
        for (int i = 0; i < earliest.length; i++) {
            bound(i);
        }
    }

    /** An error of the test if something does not fit. */
    void judge() {
        rows();
        order();
        events();
        for (Step step : steps) {
            boolean right = right(step);
            assertThat(right)
                    .as("%s of %s by %s, in one of %s", step, asked.action, asked.requester, around(step))
                    .isTrue();
        }
    }

    private State last() {
        return states.get(states.size() - 1);
    }

    private void rows() {
        assertThat(record.request()).isEqualTo(last().request());
        assertThat(record.row().at("/request/stage").asInt()).isEqualTo(last().round());
        assertThat(record.approval("status")).isEqualTo(last().approval());
        assertThat(record.approval("execution")).isEqualTo(last().execution());
        if (!last().approval().isEmpty()) {
            assertThat(record.approval("decision")).isEqualTo(last().decision());
        }
        Map<String, String> votes = new HashMap<>();
        last().votes().forEach((person, round) -> votes.put(person, "approve in " + round));
        record.events().stream()
                .filter(event -> event.kind().equals("denied"))
                .forEach(event -> votes.put(event.person(), "deny in " + last().round()));
        assertThat(record.reviews()).isEqualTo(votes);
        assertThat(votes.keySet()).noneMatch(asked::sides);
        if (last().approval().equals(Model.CONSUMED) && !last().execution().isEmpty()) {
            assertThat(record.run(last().execution())).endsWith(" by " + last().decision());
            if (steps.stream().noneMatch(step -> step.what() == What.RESOLVE && step.status() == 200)) {
                assertThat(record.run(last().execution())).matches("(succeeded|failed) .*");
            }
        }
    }

    /** The steps of which a client was told that they made this event. */
    private List<Step> makers(Event event) {
        Predicate<Step> made = switch (event.kind()) {
            case "reviewed", "approved" ->
                step -> step.what() == What.APPROVE && step.who().equals(event.person());
            case "denied" -> step -> step.what() == What.REJECT && step.who().equals(event.person());
            case "cancelled" -> step -> step.what() == What.CANCEL && event.by().equals(town.prefix(step.who()));
            case "reserved" -> step -> step.allowed() && step.decision().equals(event.decision());
            case "break_glass" ->
                step -> step.what() == What.ALONE && step.who().equals(event.person());
            case "revoked" -> step -> step.what() == What.REVOKE && event.by().equals(town.prefix(step.who()));
            case "consumed" ->
                event.execution().isEmpty()
                        ? step -> step.allowed() && step.decision().equals(event.decision())
                        : step -> reports(step, event, "succeeded", "timeout") || resolves(step, event, "true");
            case "freed" -> step -> reports(step, event, "not_started") || resolves(step, event, "false");
            case "in_doubt" -> step -> reports(step, event, "unknown");
            default -> step -> false;
        };
        return steps.stream().filter(step -> step.status() == 200).filter(made).toList();
    }

    private boolean resolves(Step step, Event event, String ran) {
        return step.what() == What.RESOLVE
                && step.said().contains(ran)
                && event.by().equals(town.prefix(step.who()));
    }

    private static boolean reports(Step step, Event event, String... said) {
        return step.what() == What.REPORT
                && step.execution().equals(event.execution())
                && List.of(said).stream().anyMatch(step.said()::contains);
    }

    /** An event happens while one of those is under way who were told of it; all are told after it has happened. */
    private void bound(int i) {
        Event event = record.events().get(i);
        long alike = record.events().stream()
                .filter(other ->
                        other.kind().equals(event.kind()) && other.execution().equals(event.execution()))
                .count();
        List<Step> makers = makers(event);
        boolean sure = !makers.isEmpty()
                && (alike == 1 || !event.decision().isEmpty() || !event.person().isEmpty());
        // A human who says it twice says not of which run.
        boolean which = makers.size() == 1 || makers.stream().noneMatch(step -> step.what() == What.RESOLVE);
        boolean whole = sure && which && !event.by().isEmpty();
        earliest[i] = whole ? makers.stream().mapToLong(Step::begun).min().orElseThrow() : Long.MIN_VALUE;
        latest[i] = whole ? makers.stream().mapToLong(Step::ended).min().orElseThrow() : Long.MAX_VALUE;
        if (event.kind().equals("requested")) {
            earliest[i] = Long.MIN_VALUE;
            latest[i] = Long.MIN_VALUE;
        }
    }

    private void order() {
        for (int later = 1; later < states.size(); later++) {
            for (int sooner = 0; sooner < later; sooner++) {
                assertThat(earliest[sooner])
                        .as(
                                "%s came before %s",
                                record.events().get(sooner), record.events().get(later))
                        .isLessThanOrEqualTo(latest[later]);
            }
        }
    }

    /** Nothing is in the log that nobody was told of, nor was anybody told of what is not in it. */
    private void events() {
        Set<Step> told = new HashSet<>();
        for (Event event : record.events()) {
            List<Step> makers = makers(event);
            boolean byItself = event.by().isEmpty();
            boolean once = event.execution().isEmpty() || event.kind().equals("reserved");
            if (event.kind().equals("requested")) {
                continue;
            }
            if (byItself) {
                String clock = switch (event.kind()) {
                    case "expired" -> "decide_by";
                    case "lapsed" -> "use_by";
                    case "in_doubt" -> "report_by";
                    default -> "nobody's";
                };
                assertThat(steps).as("%s", event).anyMatch(step -> lapses(step, clock));
            } else if (once) {
                assertThat(makers).as("%s", event).hasSize(1);
            } else {
                assertThat(makers).as("%s", event).isNotEmpty();
            }
            told.addAll(makers);
        }
        for (Step step : steps) {
            boolean settles = step.votes()
                    || List.of(What.ALONE, What.CANCEL, What.REVOKE, What.RESOLVE)
                            .contains(step.what());
            boolean changes = settles && step.status() == 200
                    || step.allowed() && step.execution().isEmpty();
            assertThat(!changes || told.contains(step))
                    .as("%s is in the log", step)
                    .isTrue();
        }
    }

    private static boolean lapses(Step step, String clock) {
        return step.what() == What.LAPSE && step.said().equals(clock) && step.status() > 0;
    }

    /** The states that there may have been while a step was under way. */
    private List<State> around(Step step) {
        int first = 0;
        int behind = states.size();
        for (int i = 0; i < states.size(); i++) {
            if (latest[i] < step.begun()) {
                first = i;
            }
            if (earliest[i] > step.ended() && behind == states.size()) {
                behind = i;
            }
        }
        return states.subList(first, Math.max(first, behind));
    }

    private boolean maybeLate(Step step, String clock) {
        return steps.stream().anyMatch(other -> lapses(other, clock) && other.begun() < step.ended());
    }

    private boolean surelyLate(Step step, String clock) {
        return steps.stream().anyMatch(other -> lapses(other, clock) && other.ended() < step.begun());
    }

    private boolean right(Step step) {
        List<State> around = around(step);
        return switch (step.what()) {
            case APPROVE, REJECT -> voted(step, around);
            case ALONE -> alone(step, around);
            case CANCEL -> cancelled(step, around);
            case REVOKE -> revoked(step, around);
            case RESOLVE -> resolved(step, around);
            case USE -> used(step, around);
            case REPORT -> reported(step, around);
            case READ -> read(step, around);
            case SUBMIT ->
                step.status() == (step.said().isEmpty() ? 202 : 200)
                        && step.answer().at("/task/id").asText().equals(asked.id);
            case LAPSE -> true;
        };
    }

    private boolean voted(Step step, List<State> around) {
        String told = switch (step.status()) {
            case 200 -> "may";
            case 409 -> "ended";
            case 403 -> step.answer().path("reason").asText();
            default -> "";
        };
        boolean late = maybeLate(step, "decide_by");
        boolean right = around.stream()
                .anyMatch(state -> told.equals(model.ruling(state, step.who(), step.what() == What.APPROVE)));
        return step.status() == 200 ? right && !surelyLate(step, "decide_by") : right || told.equals("ended") && late;
    }

    private boolean alone(Step step, List<State> around) {
        String told = switch (step.status()) {
            case 200 -> "may";
            case 409 -> "ended";
            case 403 ->
                step.answer()
                        .path("reason")
                        .asText(step.answer().path("type").asText().replaceFirst(".*:", ""));
            default -> "";
        };
        boolean right = around.stream().anyMatch(state -> told.equals(model.alone(state, step.who())));
        return step.status() == 200
                ? right && !surelyLate(step, "decide_by")
                : right || told.equals("ended") && maybeLate(step, "decide_by");
    }

    private boolean revoked(Step step, List<State> around) {
        boolean none = around.stream().anyMatch(state -> state.approval().isEmpty());
        return switch (step.status()) {
            case 200 -> !step.who().equals(Town.RIVAL) && !surelyLate(step, "use_by");
            case 403 -> step.who().equals(Town.RIVAL);
            case 404 -> none;
            case 409 ->
                maybeLate(step, "use_by")
                        || around.stream()
                                .anyMatch(state -> !state.approval().isEmpty()
                                        && !state.approval().equals(Model.ACTIVE));
            default -> false;
        };
    }

    private boolean resolved(Step step, List<State> around) {
        boolean none = around.stream().anyMatch(state -> state.approval().isEmpty());
        return switch (step.status()) {
            case 200 -> !asked.sides(step.who());
            case 403 -> asked.sides(step.who());
            case 404 -> none;
            case 409 ->
                around.stream()
                        .anyMatch(state ->
                                !state.approval().isEmpty() && !state.approval().equals(Model.DOUBT));
            default -> false;
        };
    }

    private boolean cancelled(Step step, List<State> around) {
        if (step.who().equals(Town.RIVAL)) {
            return step.status() == 404;
        }
        boolean ended = around.stream().anyMatch(state -> !state.request().equals(Model.PENDING));
        return step.status() == 200
                ? !surelyLate(step, "decide_by")
                : step.status() == 409 && (ended || maybeLate(step, "decide_by"));
    }

    private boolean used(Step step, List<State> around) {
        if (step.status() != 200) {
            return false;
        }
        String reason = step.answer().at("/context/reason").asText();
        if (step.who().equals(Town.RIVAL)) {
            return !step.allowed() && reason.equals("approval_unverifiable");
        }
        boolean reserved = !step.execution().isEmpty()
                && around.stream()
                        .anyMatch(state -> state.approval().equals(Model.RESERVED)
                                && state.execution().equals(step.execution()));
        boolean first =
                record.events().stream().anyMatch(event -> event.decision().equals(step.decision()));
        if (step.allowed()) {
            return first ? !surelyLate(step, "use_by") : reserved;
        }
        boolean spent = around.stream()
                .anyMatch(state -> !state.approval().equals(Model.ACTIVE)
                        && !(state.approval().equals(Model.RESERVED)
                                && state.execution().equals(step.execution())));
        // A name under which a run did not start is good for no other.
        boolean tried = record.events().stream()
                .anyMatch(event ->
                        event.kind().equals("freed") && event.execution().equals(step.execution()));
        boolean late = maybeLate(step, "use_by") || reserved && maybeLate(step, "report_by");
        return !first && reason.equals(EXPIRED) && (spent || late || tried);
    }

    private boolean reported(Step step, List<State> around) {
        if (step.who().equals(Town.RIVAL)) {
            return step.status() == 404;
        }
        var before = new ArrayList<>(steps);
        before.removeIf(other -> other.what() != What.REPORT
                || other == step
                || other.status() != 200
                || !other.execution().equals(step.execution())
                || other.begun() > step.ended());
        boolean waited = around.stream().anyMatch(state -> Model.waits(state, step.execution()));
        // Once a human has said what became of a run, its report changes nothing, or comes too late.
        boolean said = steps.stream()
                .anyMatch(
                        other -> other.what() == What.RESOLVE && other.status() == 200 && other.begun() < step.ended());
        return switch (step.status()) {
            case 200 ->
                waited || said || before.stream().anyMatch(other -> other.said().equals(step.said()));
            case 409 ->
                said
                        || before.stream()
                                .anyMatch(other -> !other.said().equals(step.said())
                                        && !other.said().contains("unknown"))
                        // What is in doubt did not start only if a human says so.
                        || step.said().contains("not_started")
                                && (maybeLate(step, "report_by")
                                        || around.stream()
                                                .anyMatch(state ->
                                                        state.approval().equals(Model.DOUBT)));
            case 404 -> around.stream().anyMatch(state -> !state.execution().equals(step.execution()));
            default -> false;
        };
    }

    private boolean read(Step step, List<State> around) {
        boolean task = step.said().equals("task");
        String told = step.answer().at(task ? "/task/status" : "/status").asText();
        boolean late = told.equals("expired") && maybeLate(step, "decide_by");
        return step.status() == 200
                && (late || around.stream().anyMatch(state -> told.equals(task ? state.request() : word(state))));
    }

    private static String word(State state) {
        if (state.request().equals("denied")) {
            return "rejected";
        }
        return state.approval().equals(Model.CONSUMED) ? "applied" : state.request();
    }
}
