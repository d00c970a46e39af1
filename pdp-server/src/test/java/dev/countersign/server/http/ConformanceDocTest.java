package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page about conformance is made from the names of tests: each begins with the ids of what it shows. */
class ConformanceDocTest {
    /** Id, level in the source, what it asks. */
    private static final String PROFILE = """
            AR-1 | MUST | metadata names the endpoint for access requests, an https URL, which is the one that is used
            AR-2 | SHOULD | the capability is listed in metadata
            AR-3 | MUST | `jwks_uri` serves the public keys, told apart by `kid`, for what is signed
            AR-4 | SHOULD | an unknown `kid` has the keys read again before a token is refused
            AR-5 | MUST | `access_request` stands only in a denial that can be asked for
            AR-6 | MUST | a requestable denial has `expires_at`
            AR-7 | MUST | it has a protected `binding_token`, or an `evaluation_id` that can be resolved
            AR-8 | MUST | `evaluation_id` is stable and unique, and binds no longer than `expires_at`
            AR-9 | SHOULD | `context.reason` is a word for machines; `evaluated_at` may stand beside it
            AR-10 | MUST | `template` and `binding_token` are opaque to the enforcement point
            AR-11 | OPTIONAL | forms, schemas and catalogues, if there are any
            AR-12 | MUST | which members of the context bind is explicit and protected; what is volatile does not bind
            AR-18 | MUST | whoever submits is authenticated and authorized
            AR-19 | MUST | a submission has a subject, one call or items, and a denial for each
            AR-20 | MUST | only a requestable denial can be asked for (`not_requestable`)
            AR-21 | MUST | a denial is bound by an id or a token, and says when it ends (`invalid_denial_binding`)
            AR-22 | MUST | a token's signature, audience, expiry, replay and claims are checked
            AR-23 | MUST | the earlier of both expiries counts, and the echoed one must be the protected one (`expired_denial`)
            AR-24 | MUST | bound by its id, a denial is compared with its record and ends as recorded
            AR-25 | MUST | calls are compared value by value, without `subject.properties.act`
            AR-26 | MUST | the hashed binding follows the profile's construction
            AR-27 | MUST | a binding token is taken as compact JWS
            AR-28 | MUST | a submission adds to the context, and changes or drops nothing that counts
            AR-29 | MUST | `Idempotency-Key`: the same again is the same task, another body is refused (`duplicate_request`)
            AR-30 | MUST | `client.actor` and `client.source` authorize nothing unless they are verified, and are not lost
            AR-31 | MUST | a task is bound to call, denial, requester and client
            AR-32 | OPTIONAL | `requested_until`, and `emergency` as a mere signal
            AR-33 | MUST | 201 or 202 with a task whose id is opaque, and its `status_endpoint`
            AR-34 | SHOULD | what is approved at once answers 201 with its result
            AR-35 | MUST | a task ends once, and what has ended never moves
            AR-36 | MUST | an unknown status is not an approval, for the enforcement point
            AR-37 | MUST | what is approved has a `result`, and only when reviews are complete
            AR-38 | MUST | a task that is over or unknown says so (`task_expired`, `unknown_task`)
            AR-39 | MUST | status and cancellation are authorized each, for any key of who may
            AR-40 | MUST | no reviewers, rules or details to whom they do not concern
            AR-41 | MUST | `Retry-After` is given, and honoured by the enforcement point
            AR-42 | MUST | the status of a bundle follows from its items; a result is an item's own
            AR-43 | MUST | requests and approvals expire
            AR-44 | MUST | `links.cancel` takes POST; what has ended answers 409 (`invalid_task_state`)
            AR-45 | MUST | cancellation is authorized by itself
            AR-46 | MUST | cancelling a bundle touches pending items only
            AR-47 | MUST | `result.mode` is `reevaluate`, with an approval that has an id and an end
            AR-48 | MUST | the enforcement point presents the approval unchanged, and not after its end
            AR-49 | MUST | the call is decided anew; an approval overrides no mandatory rule
            AR-50 | MUST | an approval must fit caller, call, scope and time: an id alone suffices never
            AR-51 | MUST | `approval.id` and the id in `approval.state` are the same
            AR-52 | MUST | `approval.state` is a JWS with issuer and audience, by a published key
            AR-53 | MUST | the present status counts, also before `approved_until`
            AR-54 | MUST | the scope is the exact call and its bound context
            AR-55 | SHOULD | a refused approval says `reason` and `next_action`; `request` comes with a fresh `access_request`
            AR-56 | MUST | `context.approval.approved_until` bounds what is built on the decision
            AR-57 | MUST | each item of a bundle is evaluated by itself
            AR-58 | MUST | approvals expire
            AR-59 | MUST | the record of an approval names approval, task, denial, call, requester, status and times
            AR-60 | MUST | a callback goes only to an endpoint that is registered, and to no internal address that is not listed
            AR-61 | MUST | a callback is authenticated, by an HMAC over its body
            AR-62 | MUST | it has the `task`, perhaps its `result`, and the `state` unchanged
            AR-63 | own | it is tried again, kept when it fails, and changes nothing
            AR-64 | MUST | errors are problem documents of the seven types
            AR-65 | MUST | extra members only where the profile allows them; unknown ones are ignored
            AR-66 | MUST | who is not eligible does not approve: the requester's side, a person twice
            AR-67 | MUST | denial, request, approval and use can be put together afterwards
            AR-68 | MUST | `template`, `requested_access` and `display` are no policy
            AR-72 | SHOULD | clocks may differ by about 30 seconds, and by no more than 60
            """;

    private static final String SINGLE_USE = """
            SU-1 | own | an approval is for one use
            SU-2 | own | an allow reserves the use, the report consumes it; what is not reported is in doubt
            SU-3 | own | a used approval is `approval_expired`, and can be asked for anew
            SU-4 | own | the digest covers the call; advisory arguments are declared, never guessed
            SU-5 | own | approve-by and use-by are two clocks
            """;

    private static final String ANCHORS = """
            anchor 1 | own | compare the digest, and look at the time, when the call is made
            anchor 2 | own | digest what is bound; declare what is advisory
            anchor 3 | own | the server computes the digest
            anchor 4 | own | an edited call is a new call
            anchor 5 | own | going on is idempotent, and says which run it is
            anchor 6 | own | who decides comes from the key, not from the body
            anchor 7 | own | GET shows, POST decides
            anchor 8 | own | separation of duties follows the person through agents, owners and delegates
            anchor 9 | own | roles are joined by and, not only by or
            anchor 10 | own | show who can approve, and fail loudly if nobody can
            anchor 11 | own | two clocks, both told; an extension is a new decision
            anchor 12 | own | "pending" is answered at once
            anchor 13 | own | a timeout never approves
            anchor 14 | own | a bundle is decided item by item
            anchor 15 | own | taking back one approval ends no other
            anchor 16 | own | shadow mode never changes the answer
            anchor 17 | own | denied calls are recorded too
            anchor 18 | own | measure whether approvals were considered
            anchor 19 | own | sort what waits by risk
            anchor 20 | own | how long things last is the rule's own
            anchor 21 | own | the record is signed, and what is missing from it shows
            """;

    /** What no test here shows, and why. */
    private static final Map<String, String> NOT_SHOWN = Map.of(
            "AR-10", "for enforcement points",
            "AR-34", "nothing is approved without a person, so no task has ended when it is answered",
            "AR-36", "for enforcement points",
            "AR-48", "for enforcement points");

    /** What is shown of an item, but not whole. */
    private static final Map<String, String> IN_PART = Map.ofEntries(
            Map.entry(
                    "AR-23",
                    "a token of ours always names the denial's expiry, so one that does not is refused in any case"),
            Map.entry("AR-26", "one call; the form for a bundle is not issued, as each item has its own denial"),
            Map.entry(
                    "AR-30",
                    "a claimed chain of actors is kept and only ever keeps persons from reviewing; it is not verified, and not refused for that"),
            Map.entry("AR-41", "the server's half"),
            Map.entry("AR-55", "`grant_pending` and `retry` do not occur: an approval needs no provisioning"),
            Map.entry("AR-56", "the server's half"),
            Map.entry(
                    "SU-4", "defaults of a schema and its version are not part of the digest; actors are, as claimed"),
            Map.entry("anchor 2", "arguments are digested as they are sent: no defaults are filled in"));

    private static final String ID = "(?:AR|SU)-\\d+|anchor \\d+";
    private static final Pattern NAMED = Pattern.compile("@DisplayName\\(\\s*\"((?:" + ID + ")(?:, (?:" + ID
            + "))*):(?:[^\"\\\\]|\\\\.)*\"\\s*\\)\\s+void (\\w+)\\(");

    private record Item(String id, String level, String asks) {
        static List<Item> of(String table) {
            return table.lines()
                    .map(line -> line.split(" \\| ", 3))
                    .map(cells -> new Item(cells[0], cells[1], cells[2]))
                    .toList();
        }
    }

    private static final Map<String, List<Item>> SECTIONS = sections();

    private static Map<String, List<Item>> sections() {
        var sections = new LinkedHashMap<String, List<Item>>();
        sections.put("Access Request and Approval Profile", Item.of(PROFILE));
        sections.put("Single use, which the profile leaves open", Item.of(SINGLE_USE));
        sections.put("What users of other systems for approvals ask for", Item.of(ANCHORS));
        return sections;
    }

    private static Stream<Item> all() {
        return SECTIONS.values().stream().flatMap(List::stream);
    }

    /** The tests by the ids that they name, as {@code Class.method}. */
    private static Map<String, TreeSet<String>> shown() throws IOException {
        var shown = new TreeMap<String, TreeSet<String>>();
        try (Stream<Path> sources = Files.walk(RunningServer.checkout("pdp-server/src/test/java"))) {
            sources.filter(file -> file.toString().endsWith("Test.java")).forEach(file -> {
                var named = NAMED.matcher(read(file));
                String type = file.getFileName().toString().replace(".java", "");
                while (named.find()) {
                    String test = type + "." + named.group(2);
                    Arrays.stream(named.group(1).split(", "))
                            .forEach(id -> shown.computeIfAbsent(id, first -> new TreeSet<>())
                                    .add(test));
                }
            });
        }
        return shown;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String page() throws IOException {
        Map<String, TreeSet<String>> shown = shown();
        var page = new StringBuilder("""
                # Conformance of approvals

                Against the AuthZEN Access Request and Approval Profile, draft 1 as of commit e287920 of openid/authzen. This page is
                generated from the names of the tests, which run against the real server over HTTP: run
                `mvn -pl pdp-server -am -Dtest=ConformanceDocTest -Dsurefire.failIfNoSpecifiedTests=false -Dcountersign.write=true test`.

                Left out as they are not served yet: forms and catalogues (AR-13 to AR-17), and what concerns
                enforcement points and operation alone (AR-69 to AR-71).
                """);
        SECTIONS.forEach((title, items) -> {
            page.append("\n## ")
                    .append(title)
                    .append("\n\n| id | level | what it asks | shown by |\n|---|---|---|---|\n");
            items.stream()
                    .filter(item -> shown.containsKey(item.id()))
                    .forEach(item -> page.append("| ")
                            .append(item.id())
                            .append(IN_PART.containsKey(item.id()) ? " (in part)" : "")
                            .append(" | ")
                            .append(item.level())
                            .append(" | ")
                            .append(item.asks())
                            .append(" | ")
                            .append(shown.get(item.id()).stream()
                                    .map(test -> "`" + test + "`")
                                    .collect(Collectors.joining(", ")))
                            .append(" |\n"));
        });
        list(page, "Shown in part", IN_PART);
        list(page, "Not shown yet", NOT_SHOWN);
        return page.toString();
    }

    private static void list(StringBuilder page, String title, Map<String, String> reasons) {
        page.append("\n## ").append(title).append("\n\n");
        all().filter(item -> reasons.containsKey(item.id()))
                .forEach(item -> page.append("- ")
                        .append(item.id())
                        .append(" (")
                        .append(item.asks())
                        .append("): ")
                        .append(reasons.get(item.id()))
                        .append(".\n"));
    }

    @Test
    void thePageIsWhatTheTestsSay() throws IOException {
        Path file = RunningServer.checkout("docs/conformance.md");
        if (Boolean.getBoolean("countersign.write")) {
            Files.writeString(file, page());
        }
        assertThat(file)
                .as(
                        "docs/conformance.md is generated: run this test with -Dcountersign.write=true, and commit the file")
                .hasContent(page());
    }

    @Test
    void everyItemIsShownOrSaysWhyNotAndNoTestNamesAnother() throws IOException {
        List<String> ids = all().map(Item::id).toList();
        Map<String, TreeSet<String>> shown = shown();
        assertThat(ids)
                .containsAll(shown.keySet())
                .containsAll(IN_PART.keySet())
                .containsAll(NOT_SHOWN.keySet());
        assertThat(shown.keySet()).containsAll(IN_PART.keySet()).doesNotContainAnyElementsOf(NOT_SHOWN.keySet());
        assertThat(ids).allMatch(id -> shown.containsKey(id) || NOT_SHOWN.containsKey(id));
    }
}
