using System.Diagnostics;
using Atrium.Server.Passwords;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Passwords;

/// <summary>Hashes as other products write them. Each was made by the tool named beside it, never by this code.</summary>
public sealed class ForeignHashTests : IDisposable
{
    private readonly PasswordHasher hasher = new();

    public void Dispose() => hasher.Dispose();

    [Theory]
    // npm's bcryptjs 3.
    [InlineData("correct horse", "$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("größe 🐎", "$2b$05$VPFyPGHxEquS8YEusDS.EO9sD.js2pnHedAu4l.EjbNUh6OHzyXMO")]
    // The first test vector of Openwall's crypt_blowfish.
    [InlineData("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    // Perl's crypt on Debian 12.
    [InlineData("correct horse", "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e")]
    [InlineData("correct horse", "$y$j75$0123456789abcdef$dq4lTMAeddRayYHb1T4lzPO3txf7tkD23llVJ1r9OX3")]
    [InlineData("correct horse", "$7$7/..../....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    // libsodium's crypto_pwhash_scryptsalsa208sha256_str.
    [InlineData("correct horse", "$7$86..../....xaID9EeJn4KgPoAT1qiR9ge07jR4VnjINHgsursXDI8$aL4mPONU5M4Lq5shlLGeTCv.LolDPjHyiFMtqhVqz/1")]
    // Node's crypto.scryptSync, Python's hashlib.scrypt and hashlib.pbkdf2_hmac; the last three in the forms of passlib and Django.
    [InlineData("correct horse", "$scrypt$ln=11,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$38vM4y6wgTmSl6NSrNLL2riJP2I7Ml8ZeE6neDPsgGRn/5Un2AGklPDx/g9sl4aLamCnmS/07bVtD1b/FNRvag")]
    [InlineData("correct horse", "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("correct horse", "$pbkdf2-sha1$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ")]
    [InlineData("correct horse", "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZvvvvg$wrY7HkAmmFYHxkGJjMxK0ahhYd2u4bUv.4V9yibZU4c")]
    [InlineData("correct horse", "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZvvvvg$2K2D4k/GoG7w12uMzauSE8k.TY0")]
    [InlineData("correct horse", "pbkdf2_sha256$1000$seasalt12345$Z+nnHCjHo1EcXJHpSbmoQLbOnqBar149Gl7nrWbhwYw=")]
    public async Task A_hash_made_elsewhere_verifies_and_is_due_for_a_rehash(string password, string hash)
    {
        hasher.ProblemWith(hash).ShouldBeNull();
        (await hasher.VerifyAsync(password, hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync(password + "x", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        (await hasher.VerifyAsync("", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeTrue();
    }

    /// <summary>C stops reading at a NUL; a password with one is another password.</summary>
    [Theory]
    [InlineData("$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("$7$7/..../....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    public async Task What_stands_behind_a_NUL_is_not_ignored(string hash) =>
        (await hasher.VerifyAsync("correct horse\0and more", hash, default)).ShouldBe(PasswordCheck.Mismatch);

    /// <summary>Made by the framework's own identity system.</summary>
    [Theory]
    [InlineData(PasswordHasherCompatibilityMode.IdentityV3)]
    [InlineData(PasswordHasherCompatibilityMode.IdentityV2)]
    public async Task A_hash_of_ASP_NET_Core_Identity_verifies(PasswordHasherCompatibilityMode mode)
    {
        string hash = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { CompatibilityMode = mode })).HashPassword(new(), "correct horse");

        (await hasher.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Match);
        (await hasher.VerifyAsync("Correct horse", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        hasher.NeedsRehash(hash).ShouldBeTrue();
    }

    /// <summary>The library keeps its state in what each call brings; hashes of different salts at once must not meet there.</summary>
    [Fact]
    public async Task Hashes_of_the_C_library_are_checked_on_several_threads_at_once()
    {
        using PasswordHasher wide = new(queueCapacity: 1000, workers: 8);
        string[] hashes =
        [
            "$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC",
            "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
            "$7$7/..../....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3",
        ];
        PasswordCheck[] checks = await Task.WhenAll(Enumerable.Range(0, 300).Select(i =>
            wide.VerifyAsync(i % 2 == 0 ? "correct horse" : "wrong horse", hashes[i % hashes.Length], default)));
        for (int i = 0; i < checks.Length; i++)
            checks[i].ShouldBe(i % 2 == 0 ? PasswordCheck.Match : PasswordCheck.Mismatch);
    }

    [Theory]
    [InlineData("$2b$17$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("$2b$31$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("$2b$03$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1r")]
    [InlineData("$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC\n")]
    [InlineData("$2x$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("$7$z6..../....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    [InlineData("$7$7zzzzz/....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    [InlineData("$7$7/....zzzzz0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    [InlineData("$y$jFT$0123456789abcdef$dq4lTMAeddRayYHb1T4lzPO3txf7tkD23llVJ1r9OX3")]
    [InlineData("$y$j75$..$dq4lTMAeddRayYHb1T4lzPO3txf7tkD23llVJ1r9OX3")]
    [InlineData("$scrypt$ln=30,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("$scrypt$ln=18,r=9,p=1$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("$scrypt$ln=14,r=8,p=256$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("$scrypt$ln=16,r=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("$scrypt$ln=0,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("$pbkdf2-sha256$99999999$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("pbkdf2_sha256$1000$short$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg=")]
    [InlineData("$6$salt$5B8k.0000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    // ASP.NET Core Identity with four thousand million iterations, with a salt beyond its end, and cut off.
    [InlineData("AQAAAAH/////AAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("AQAAAAEAACcQ/////wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("AQAAAAEAACcQ")]
    [InlineData("5f4dcc3b5aa765d61d8327deb882cf99")]
    public async Task A_hash_that_would_take_the_machine_or_is_none_is_refused_and_costs_nothing(string hash)
    {
        hasher.ProblemWith(hash).ShouldNotBeNull();
        Stopwatch watch = Stopwatch.StartNew();
        (await hasher.VerifyAsync("correct horse", hash, default)).ShouldBe(PasswordCheck.Mismatch);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Without_Argon2_an_Argon2_hash_is_not_taken_over()
    {
        using PasswordHasher without = new(useArgon2: false);
        without.ProblemWith("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")!.ShouldContain("Argon2");
        without.ProblemWith("$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC").ShouldBeNull();
    }

    [Fact]
    public void A_hash_does_not_show_itself_when_it_is_printed() =>
        $"{PasswordHash.Parse("$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")!.Algorithm}".ShouldBe("crypt (Bcrypt)");
}
