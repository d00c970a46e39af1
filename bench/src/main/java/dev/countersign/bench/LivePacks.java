package dev.countersign.bench;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Versions of packs that are published and activated over HTTP while two servers answer: when both obey, and whether any
 * answer is by half a change.
 */
final class LivePacks {
    private static final double BAR_MILLIS = 1_000;
    private static final String PATH = "/api/v1/rule-packs/";
    private static final int SHADOW = 4;

    /** Whose packs, and the two persons that a change takes. */
    private record Plane(String whose, String first, String second) {}

    /** What a change cost, in milliseconds; the time to obey is counted from the last request. */
    private record Change(double proposed, double made, double here, double there) {
        double obeyed() {
            return Math.max(here, there);
        }

        /** The time to obey of the other server from the answer on, as a row's and a setting's is counted. */
        double after() {
            return Math.max(0, there - made);
        }
    }

    private final Report report;
    private final Api api = new Api();
    private final ServerUnderTest one;
    private final ServerUnderTest two;
    private int late;

    LivePacks(Report report, ServerUnderTest one, ServerUnderTest two) {
        this.report = report;
        this.one = one;
        this.two = two;
    }

    /** A small pack, as many rounds as it is told; then a big one, once for a tenant and once for all. */
    void run(int rounds, int rules) throws IOException, InterruptedException {
        var tenant = plane("a tenant", one.key("publisher"), one.key("admin"), "policy.publish");
        small(tenant, rounds);
        big(tenant, rules);
        big(plane("the operator", one.key("operator"), one.key("operator"), "operator"), rules);
    }

    private Plane plane(String whose, String first, String maker, String role)
            throws IOException, InterruptedException {
        var body = new JsonObject()
                .put("name", "second")
                .put("person", "Second Person")
                .put("roles", new JsonArray().add(role));
        if (role.equals("operator")) {
            body.remove("person");
        }
        var made = new JsonObject(
                api.send(one, "POST", "/api/v1/keys", maker, body).body());
        var plane = new Plane(whose, first, made.getString("secret"));
        Api.until(() -> api.knows(two, plane.second()));
        return plane;
    }

    private void small(Plane plane, int rounds) throws IOException, InterruptedException {
        LivePack pack = LivePack.pair();
        for (int version = 1; version < SHADOW; version++) {
            publish(plane, pack, version, "off");
        }
        var forth = new ArrayList<Double>();
        var back = new ArrayList<Double>();
        var answered = new ArrayList<Double>();
        int wider = 0;
        int twice = 0;
        try (var first = new Watch(one, pack);
                var second = new Watch(two, pack)) {
            activate(plane, pack, 1, one, first, second);
            first.settled();
            second.settled();
            publish(plane, pack, SHADOW, "shadow");
            for (int round = 0; round < rounds; round++) {
                boolean swap = round % 2 == 1;
                ServerUnderTest at = swap ? two : one;
                Watch here = swap ? second : first;
                Watch there = swap ? first : second;
                for (int version : List.of(2, 3, 1, 2)) {
                    Change change = activate(plane, pack, version, at, here, there);
                    forth.add(change.after());
                    answered.add(change.made());
                    wider += version == 2 && change.proposed() > 0 ? 1 : 0;
                }
                Change undone = activate(plane, pack, 1, at, here, there);
                back.add(undone.after());
                answered.add(undone.made());
                twice += undone.proposed() > 0 ? 1 : 0;
            }
            report.check("what lets more through waited for a second person", wider == 2 * rounds);
            report.check("going back from it at once took one call", twice == 0);
            report.line(
                    "  a change of a pack is compared and made in: median %.0f ms, at most %.0f ms",
                    Report.median(answered), Collections.max(answered));
            bar("a pack", forth);
            bar("a pack that is rolled back", back);
            verdict(plane, pack, Set.of(1, 2, 3), first, second);
        }
        shadow(plane, pack);
    }

    /** The steps for many rules, one after the other: publish, activate, widen, confirm, roll back. */
    private void big(Plane plane, int rules) throws IOException, InterruptedException {
        LivePack pack = LivePack.big(rules);
        report.line("  %d rules of %s, ms:", pack.rules(), plane.whose());
        report.line("    check                    %8.0f", millis(() -> check(plane, pack)));
        double stored = millis(() -> publish(plane, pack, 1, "off"));
        report.line("    publish, judging nobody  %8.0f", stored);
        try (var first = new Watch(one, pack);
                var second = new Watch(two, pack)) {
            Change added = activate(plane, pack, 1, one, first, second);
            line("activate", added);
            first.settled();
            second.settled();
            report.line("    publish, activate, obeyed%8.0f", stored + added.proposed() + added.obeyed());
            report.line("    publish the wider        %8.0f", millis(() -> publish(plane, pack, 2, "off")));
            Change wider = activate(plane, pack, 2, one, first, second);
            line("activate the wider", wider);
            Change back = activate(plane, pack, 1, one, first, second);
            line("roll back", back);
            report.check("what lets more through waited for a second person", wider.proposed() > 0);
            String what = rules + " rules of " + plane.whose() + ", ";
            report.bar(what + "activated, on every server", added.obeyed(), BAR_MILLIS, "ms");
            report.bar(what + "confirmed, on every server", wider.obeyed(), BAR_MILLIS, "ms");
            report.bar(what + "rolled back, on every server", back.obeyed(), BAR_MILLIS, "ms");
            verdict(plane, pack, Set.of(1, 2), first, second);
        }
        off(plane, pack);
    }

    private void line(String what, Change change) {
        if (change.proposed() > 0) {
            report.line("    propose: %-15s %8.0f", what, change.proposed());
        }
        report.line(
                "    %-24s %8.0f answered, %.0f obeyed here, %.0f on the other server",
                change.proposed() > 0 ? "confirm" : what, change.made(), change.here(), change.there());
    }

    private void bar(String what, List<Double> millis) {
        report.line("  %s: median %.0f ms, at most %.0f ms", what, Report.median(millis), Collections.max(millis));
        report.bar(
                what + ", changed through one server, obeyed by the other", Collections.max(millis), BAR_MILLIS, "ms");
    }

    private void verdict(Plane plane, LivePack pack, Set<Integer> versions, Watch first, Watch second) {
        String what = pack.name() + " of " + plane.whose();
        long halves = first.halves() + second.halves();
        long bad = first.load().refused()
                + second.load().refused()
                + first.load().broken()
                + second.load().broken();
        report.check(
                "no answer of " + (first.load().answered() + second.load().answered()) + " about " + what
                        + " was by half a change (" + halves + ")",
                halves == 0);
        String half = first.half() == null ? second.half() : first.half();
        if (half != null) {
            report.line("         the first of them: %s", half);
        }
        report.failure(first.load(), second.load());
        report.check("no request about " + what + " was refused or broken (" + bad + ")", bad == 0);
        var seen = new TreeSet<>(first.versions());
        seen.retainAll(second.versions());
        seen.remove(LivePack.NONE);
        report.check(
                "both servers answered by each version " + new TreeSet<>(versions) + " of " + what + " " + seen,
                seen.equals(versions));
        report.check(
                "a server that had confirmed a change judged by it from then on: " + what + " (" + late + " late)",
                late == 0);
        late = 0;
    }

    private void shadow(Plane plane, LivePack pack) throws IOException, InterruptedException {
        Api.until(() -> compared(plane, pack).getInteger("compared") > 0);
        JsonObject found = compared(plane, pack);
        report.check(
                "a shadow was evaluated beside and answered nothing: " + found.getInteger("compared")
                        + " decisions compared",
                found.getInteger("compared") > 0
                        && !found.getJsonArray("differences").isEmpty());
        off(plane, pack);
    }

    private JsonObject compared(Plane plane, LivePack pack) throws IOException, InterruptedException {
        return new JsonObject(api.send(one, "GET", PATH + pack.name() + "/shadow", plane.first(), null)
                .body());
    }

    private void check(Plane plane, LivePack pack) throws IOException, InterruptedException {
        api.send(one, "POST", PATH + pack.name() + "/check", plane.first(), pack.upload(1));
    }

    private void publish(Plane plane, LivePack pack, int version, String mode)
            throws IOException, InterruptedException {
        var body = pack.upload(version).put("mode", mode);
        var stored = new JsonObject(api.send(one, "POST", PATH + pack.name() + "/versions", plane.first(), body)
                .body());
        if (stored.getInteger("version") != version) {
            throw new IOException("this is not version " + version + ": " + stored.encode());
        }
    }

    private void off(Plane plane, LivePack pack) throws IOException, InterruptedException {
        request(plane, pack, new JsonObject().put("mode", "off"), one);
    }

    /** Activates a version, by two persons if need be, and waits until both servers answer by nothing else. */
    private Change activate(Plane plane, LivePack pack, int version, ServerUnderTest at, Watch here, Watch there)
            throws IOException, InterruptedException {
        double[] took = request(plane, pack, new JsonObject().put("version", version), at);
        long done = System.nanoTime();
        long began = done - (long) (took[1] * 1e6);
        Api.until(() -> here.obeys(version, done) && there.obeys(version, done));
        late += here.otherAsked(version) > done ? 1 : 0;
        return new Change(took[0], took[1], obeyed(here, version, began, done), obeyed(there, version, began, done));
    }

    /** After how many milliseconds the last answer by another version came; all of the patience if they go on. */
    private static double obeyed(Watch watch, int version, long began, long done) {
        return watch.obeys(version, done)
                ? Math.max(0, watch.otherCame(version) - began) / 1e6
                : Api.PATIENCE.toMillis();
    }

    /** How long the proposal took, 0 if there was none, and how long what put the change in force. */
    private double[] request(Plane plane, LivePack pack, JsonObject body, ServerUnderTest at)
            throws IOException, InterruptedException {
        long began = System.nanoTime();
        HttpResponse<String> answer = api.propose(at, "POST", PATH + pack.name() + "/activate", plane.first(), body);
        long answered = System.nanoTime();
        if (answer.statusCode() != 202) {
            return new double[] {0, (answered - began) / 1e6};
        }
        String proposal = answer.headers().firstValue("Location").orElseThrow();
        api.send(at, "POST", proposal + "/confirm", plane.second(), new JsonObject());
        return new double[] {(answered - began) / 1e6, (System.nanoTime() - answered) / 1e6};
    }

    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    private static double millis(Step step) throws IOException, InterruptedException {
        long began = System.nanoTime();
        step.run();
        return (System.nanoTime() - began) / 1e6;
    }
}
