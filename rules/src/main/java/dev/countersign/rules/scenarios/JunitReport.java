package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.explain.RuleExplanation;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.jspecify.annotations.Nullable;

/**
 * A result as JUnit XML: a test suite for each suite, one named {@code coverage} for each pack's bar, and one named
 * {@code check} for mistakes. A fault of the rules is a {@code failure}; a mistake or a fault of the engine an {@code error}.
 */
final class JunitReport {
    private record Problem(boolean error, String type, String message, String detail) {}

    private record Test(String name, @Nullable Problem problem) {
        boolean error() {
            return problem != null && problem.error();
        }

        boolean failure() {
            return problem != null && !problem.error();
        }
    }

    private final StringWriter text = new StringWriter();
    private final XMLStreamWriter xml;

    private JunitReport() throws XMLStreamException {
        xml = XMLOutputFactory.newDefaultFactory().createXMLStreamWriter(text);
    }

    static String of(PackTestResult result) {
        try {
            var report = new JunitReport();
            report.write(suites(result));
            return report.text + "\n";
        } catch (XMLStreamException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
    }

    private static Map<String, List<Test>> suites(PackTestResult result) {
        var out = new LinkedHashMap<String, List<Test>>();
        for (Diagnostic diagnostic : result.diagnostics()) {
            if (!diagnostic.code().warning()) {
                var problem = new Problem(true, diagnostic.code().name(), diagnostic.message(), diagnostic.toString());
                out.computeIfAbsent("check", name -> new ArrayList<>())
                        .add(new Test(diagnostic.file() + ":" + diagnostic.line(), problem));
            }
        }
        for (TestReport report : result.reports()) {
            String pack = report.pack().name();
            for (CaseResult found : report.results()) {
                out.computeIfAbsent(pack + "/" + found.scenario().suite(), name -> new ArrayList<>())
                        .add(new Test(found.scenario().name(), problem(found)));
            }
            for (InvariantResult found : report.invariants()) {
                Invariant invariant = found.invariant();
                String place = invariant.file() + ":" + invariant.line();
                out.computeIfAbsent(pack + "/" + invariant.suite(), name -> new ArrayList<>())
                        .add(new Test(
                                invariant.name(),
                                found.passed() ? null : new Problem(false, "invariant", found.problem(), place)));
            }
            Coverage coverage = report.coverage();
            var bars = new ArrayList<Test>();
            bars.add(bar("rules", coverage.rulesMatched()));
            bars.add(bar("conditions", coverage.conditionsSeen()));
            bars.add(bar("needed", coverage.rulesNeeded()));
            bars.add(bar("mutants", report.noticed(), survivors(report)));
            if (report.untested()) {
                bars.add(new Test("cases", new Problem(false, "bar", "the pack has no case", "")));
            }
            out.put(pack + " coverage", bars);
        }
        return out;
    }

    private static @Nullable Problem problem(CaseResult result) {
        if (result.passed()) {
            return null;
        }
        boolean engine = result.failures().stream().anyMatch(failure -> failure.kind() == Failure.Kind.ENGINE);
        String message = result.failures().stream().map(Failure::line).collect(Collectors.joining("; "));
        String whyNot = result.whyNot().stream().map(RuleExplanation::toText).collect(Collectors.joining());
        String place = result.scenario().file() + ":" + result.scenario().line();
        return new Problem(engine, engine ? "engine" : "expectation", message, place + "\n" + whyNot);
    }

    private static String survivors(TestReport report) {
        return report.mutants().survivors().stream()
                .map(survivor -> survivor.rule().name() + ": " + survivor.how() + "\n" + survivor.scenario())
                .collect(Collectors.joining());
    }

    private static Test bar(String name, Coverage.Share share) {
        return bar(name, share, "");
    }

    private static Test bar(String name, Coverage.Share share, String detail) {
        String message =
                share.reached() + " of " + share.of() + " (" + share.percent() + " %, bar " + share.bar() + " %)";
        return new Test(name, share.met() ? null : new Problem(false, "bar", message, detail));
    }

    private void write(Map<String, List<Test>> suites) throws XMLStreamException {
        xml.writeStartDocument("UTF-8", "1.0");
        xml.writeStartElement("testsuites");
        counts(suites.values().stream().flatMap(List::stream).toList());
        for (Map.Entry<String, List<Test>> suite : suites.entrySet()) {
            xml.writeStartElement("testsuite");
            attribute("name", suite.getKey());
            counts(suite.getValue());
            for (Test test : suite.getValue()) {
                xml.writeStartElement("testcase");
                attribute("classname", suite.getKey());
                attribute("name", test.name());
                Problem problem = test.problem();
                if (problem != null) {
                    xml.writeStartElement(problem.error() ? "error" : "failure");
                    attribute("type", problem.type());
                    attribute("message", problem.message());
                    xml.writeCharacters(legal(problem.detail()));
                    xml.writeEndElement();
                }
                xml.writeEndElement();
            }
            xml.writeEndElement();
        }
        xml.writeEndElement();
        xml.writeEndDocument();
        xml.flush();
    }

    private void counts(List<Test> tests) throws XMLStreamException {
        attribute("tests", String.valueOf(tests.size()));
        attribute(
                "failures", String.valueOf(tests.stream().filter(Test::failure).count()));
        attribute("errors", String.valueOf(tests.stream().filter(Test::error).count()));
        attribute("skipped", "0");
    }

    private void attribute(String name, String value) throws XMLStreamException {
        xml.writeAttribute(name, legal(value));
    }

    /** The text with what XML 1.0 cannot hold replaced, since the writer escapes markup but lets such characters by. */
    private static String legal(String text) {
        var out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean holds = c == '\t'
                    || c == '\n'
                    || c == '\r'
                    || c >= 0x20 && c <= 0xD7FF
                    || c >= 0xE000 && c <= 0xFFFD
                    || c >= 0x10000;
            out.appendCodePoint(holds ? c : 0xFFFD);
        });
        return out.toString();
    }
}
