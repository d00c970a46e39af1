package dev.countersign.server.settings;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class KnownSettingsTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger(KnownSettings.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private Level before;

    @BeforeEach
    void listen() {
        before = logger.getLevel();
        logger.setLevel(Level.ALL);
        logger.setAdditive(false);
        logger.addAppender(log);
        log.start();
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
        logger.setAdditive(true);
        logger.setLevel(before);
    }

    private static KnownSettings known() {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics).read("", Map.of("pack.yaml", """
                name: p
                params: {limit: {type: number, default: 1}}
                lists: {blocked: {default: []}}
                """, "r.drl", """
                package p
                rule "r" when Request( action == "read" ) then decision.allow("OK"); end
                """));
        assertThat(diagnostics.all()).isEmpty();
        return KnownSettings.of(
                RuleBase.of(List.of(Objects.requireNonNull(pack))).settings(), Map.of());
    }

    private static TenantSettings read(TenantSettings before, StoredSetting... stored) {
        return known().read(
                        "acme",
                        Stream.of(stored).collect(Collectors.toMap(StoredSetting::name, Function.identity())),
                        before);
    }

    private static StoredSetting stored(String name, String json) {
        return new StoredSetting("acme", name, json, 1, Instant.EPOCH, "csk_1");
    }

    @Test
    void theLogSaysWhichValueIsNotUsedAndWhyButNotWhatItIs() {
        TenantSettings now = read(
                TenantSettings.NONE,
                stored("limit", "\"hunter2\""),
                stored("blocked", "[\"fine\", hunter2"),
                stored("gone", "\"hunter2\""));
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .hasSize(3)
                .noneMatch(message -> message.contains("hunter2"))
                .allMatch(message -> message.contains("of the tenant `acme` is not used"))
                .anyMatch(message -> message.contains("`limit`") && message.endsWith("number"))
                .anyMatch(message -> message.contains("`blocked`") && message.endsWith("list"))
                .anyMatch(message -> message.contains("`gone`") && message.endsWith("no active pack declares it"));
        assertThat(log.list).allMatch(event -> event.getThrowableProxy() == null);
        assertThat(now.unused().get("limit")).isEqualTo("`limit` needs a number, not `hunter2`");
    }

    @Test
    void whatIsNotUsedIsSaidOnce() {
        TenantSettings once = read(TenantSettings.NONE, stored("limit", "\"x\""));
        read(once, stored("limit", "\"x\""), stored("blocked", "[]"));
        assertThat(log.list).hasSize(1);
    }
}
