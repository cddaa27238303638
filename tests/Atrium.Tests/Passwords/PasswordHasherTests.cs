using System.Diagnostics;
using Atrium.Server.Passwords;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Passwords;

public sealed class PasswordHasherTests : IDisposable
{
    // 1000 iterations, salt "0123456789abcdef"; made with Python's hashlib.
    private const string QuickHash = "$pbkdf2-sha256$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M";

    // About a second of work: one of them keeps a worker busy.
    private const string SlowHash = "$pbkdf2-sha256$i=4000000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M";

    private readonly PasswordHasher hasher = new();

    public void Dispose() => hasher.Dispose();

    [Fact]
    public async Task A_password_matches_its_hash_and_no_other_does()
    {
        var hash = (await hasher.HashAsync("correct horse", default)).ShouldNotBeNull();

        (await hasher.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync("Correct horse", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        (await hasher.VerifyAsync("correct horse ", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        (await hasher.VerifyAsync("", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeFalse();
    }

    [Fact]
    public async Task New_hashes_are_Argon2id_with_a_salt_each()
    {
        Assert.SkipWhen(hasher.UsesFallback, "libargon2 is not on this machine");
        var hash = (await hasher.HashAsync("correct horse", default)).ShouldNotBeNull();

        hash.ShouldMatch(@"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$");
        (await hasher.HashAsync("correct horse", default)).ShouldNotBe(hash);
        hasher.Description.ShouldBe("Passwords are hashed with Argon2 (argon2id$v=19$m=19456,t=2,p=1).");
    }

    [Fact]
    public async Task Without_Argon2_the_hashes_are_PBKDF2_and_the_description_says_so()
    {
        using var without = new PasswordHasher(useArgon2: false);
        var hash = (await without.HashAsync("correct horse", default)).ShouldNotBeNull();

        hash.ShouldMatch(@"^\$pbkdf2-sha256\$i=600000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$");
        without.UsesFallback.ShouldBeTrue();
        without.Description.ShouldContain("libargon2.so.1");
        without.NeedsRehash(hash).ShouldBeFalse();
        (await without.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Match);
        hasher.NeedsRehash(hash).ShouldBe(!hasher.UsesFallback);
    }

    [Theory]
    [InlineData("correct horse", QuickHash)]
    [InlineData("correct horse", "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M")]
    [InlineData("correct horse", "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa+ks4TP71JiecwuSZCG8iLbnlIEPOMoVX+i2B2wkSxjQ8CRGR9OkNGuIPMQ")]
    public async Task Hashes_made_elsewhere_verify_and_are_due_for_a_rehash(string password, string hash)
    {
        (await hasher.VerifyAsync(password, hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync(password + "x", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeTrue();
    }

    /// <summary>The first is a test vector of the reference implementation.</summary>
    [Theory]
    [InlineData("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")]
    [InlineData("correct horse", "$argon2id$v=19$m=4096,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    public async Task Argon2id_of_other_parameters_verifies_where_the_library_is(string password, string hash)
    {
        Assert.SkipWhen(hasher.UsesFallback, "libargon2 is not on this machine");
        using var without = new PasswordHasher(useArgon2: false);

        (await hasher.VerifyAsync(password, hash, default)).ShouldBe(PasswordCheck.Match);
        (await without.VerifyAsync(password, hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("$")]
    [InlineData("$$$$$$")]
    [InlineData("correct horse")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$!!!!MzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$c2hvcnQ$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=16$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$t=2,m=19456,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=-1,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=16,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=4294967295,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=1048576,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=19456,t=1000,p=1$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=0$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$pbkdf2-sha256$i=0$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$pbkdf2-sha256$i=2000000000$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    [InlineData("$pbkdf2-md5$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$95wZMzoYL11Bzz5/B5LHOQ")]
    public async Task A_malformed_or_outrageous_hash_matches_nothing(string hash)
    {
        PasswordHash.Parse(hash).ShouldBeNull();
        (await hasher.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeTrue();
    }

    [Fact]
    public async Task Without_a_hash_the_answer_is_a_mismatch_that_costs_as_much()
    {
        var hash = await hasher.HashAsync("correct horse", default);
        string?[] stored = [hash, null, "$argon2id$"];
        double[] fastest = [double.MaxValue, double.MaxValue, double.MaxValue];

        // In turns, so that what else the machine does slows down all three.
        for (var round = 0; round < 7; round++)
        {
            for (var kind = 0; kind < stored.Length; kind++)
            {
                var started = Stopwatch.GetTimestamp();
                (await hasher.VerifyAsync("correct horse!", stored[kind], default)).ShouldBe(PasswordCheck.Mismatch);
                fastest[kind] = Math.Min(fastest[kind], Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
        }

        // Wide bounds all the same: without the hash it would be a thousandth.
        (fastest[1] / fastest[0]).ShouldBeInRange(0.3, 3, "nobody has that name");
        (fastest[2] / fastest[0]).ShouldBeInRange(0.3, 3, "the stored hash is malformed");
    }

    [Fact]
    public async Task The_same_password_typed_on_another_keyboard_matches()
    {
        var hash = await hasher.HashAsync("cafe\u0301 cre\u0300me", default);

        (await hasher.VerifyAsync("caf\u00E9 cr\u00E8me", hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync("cafe creme", hash, default)).ShouldBe(PasswordCheck.Mismatch);
    }

    [Fact]
    public async Task Nothing_is_truncated()
    {
        var password = new string('x', 1023);
        var hash = await hasher.HashAsync(password + "a", default);

        (await hasher.VerifyAsync(password + "a", hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync(password + "b", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        (await hasher.VerifyAsync(new string('x', 50_000_000), hash, default)).ShouldBe(PasswordCheck.Mismatch);
    }

    [Fact]
    public async Task When_the_queue_is_full_the_answer_is_busy_at_once()
    {
        using var small = new PasswordHasher(queueCapacity: 1, workers: 1);
        var accepted = new List<Task<PasswordCheck>>();
        // The second is accepted as soon as the worker has taken the first.
        while (accepted.Count < 2)
        {
            var check = small.VerifyAsync("wrong", SlowHash, default);
            if (!check.IsCompleted)
                accepted.Add(check);
            else
                (await check).ShouldBe(PasswordCheck.Busy);
        }

        (await small.VerifyAsync("correct horse", QuickHash, default)).ShouldBe(PasswordCheck.Busy);
        (await small.HashAsync("correct horse", default)).ShouldBeNull();

        (await Task.WhenAll(accepted)).ShouldAllBe(answer => answer == PasswordCheck.Mismatch);
        (await small.VerifyAsync("correct horse", QuickHash, default)).ShouldBe(PasswordCheck.Match);
    }

    [Fact]
    public async Task Who_gives_up_while_waiting_is_released_at_once_and_costs_no_hash()
    {
        using var single = new PasswordHasher(workers: 1);
        using var leaving = new CancellationTokenSource();
        var first = single.VerifyAsync("wrong", SlowHash, default);
        Task<PasswordCheck>[] waiting = [.. Enumerable.Range(0, 50).Select(_ => single.VerifyAsync("wrong", SlowHash, leaving.Token))];

        var started = Stopwatch.GetTimestamp();
        await leaving.CancelAsync();
        foreach (var wait in waiting)
            await Should.ThrowAsync<OperationCanceledException>(wait);
        first.IsCompleted.ShouldBeFalse();

        // Fifty slow hashes would take a minute.
        (await single.VerifyAsync("correct horse", QuickHash, default)).ShouldBe(PasswordCheck.Match);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(15));
        (await first).ShouldBe(PasswordCheck.Mismatch);
    }

    [Fact]
    public async Task Who_has_left_already_is_not_hashed_for()
    {
        await Should.ThrowAsync<OperationCanceledException>(() => hasher.HashAsync("correct horse", new(canceled: true)));
        await Should.ThrowAsync<OperationCanceledException>(() => hasher.VerifyAsync("correct horse", QuickHash, new(canceled: true)));
    }

    [Fact]
    public void No_log_shows_a_hash_by_accident() =>
        ((object)PasswordHash.Parse(QuickHash)!).ToString().ShouldBe("Atrium.Server.Passwords.PasswordHash");

    [Fact]
    public void A_hash_is_written_as_it_was_read() => PasswordHash.Parse(QuickHash)!.Encode().ShouldBe(QuickHash);
}
