using System.Net.Mail;
using System.Text;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Mail;
using Atrium.Testing;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Mail;

/// <summary>Letters on their way out of the house: a real conversation with a mail server, and files in a folder.</summary>
public sealed class TransportTests
{
    private static readonly MailAddress From = new("no-reply@example.test");
    private static readonly Id<QueuedMail> Id = Id<QueuedMail>.New(TimeProvider.System);

    private static readonly Letter Letter = new(
        "sam@example.test", "Acmé Ltd", "Ünïcode: join Northwind, a name that is long enough for a header to be folded into two lines", "Grüße\r\n.\r\nhttps://id.example.test/x?a=b",
        "<html><head></head><body><p>Grüße=</p></body></html>");

    [Fact]
    public async Task A_mail_server_gets_the_letter_whole_with_both_texts()
    {
        await using SmtpServerDouble server = new();
        await Transport(server).SendAsync(Id, Letter, default);
        server.Said.ShouldContain(static line => line.StartsWith("MAIL FROM:<no-reply@example.test>"));
        server.Said.ShouldContain("RCPT TO:<sam@example.test>");
        string letter = server.Letters.ShouldHaveSingleItem();
        letter.ShouldContain($"Message-ID: <{Id}@example.test>");
        letter.ShouldContain("Auto-Submitted: auto-generated");
        await ShouldBeTheLetterAsync(Encoding.UTF8.GetBytes(letter));
    }

    [Fact]
    public async Task A_recipient_that_is_refused_for_good_is_final_and_one_refused_for_now_is_not()
    {
        await using SmtpServerDouble server = new();
        server.ToRecipient = static _ => "550 No such mailbox";
        MailException gone = await Should.ThrowAsync<MailException>(Transport(server).SendAsync(Id, Letter, default));
        (gone.IsFinal, gone.Message.Contains("No such mailbox", StringComparison.Ordinal)).ShouldBe((true, true), gone.Message);
        server.ToRecipient = static _ => "450 Mailbox busy";
        (await Should.ThrowAsync<MailException>(Transport(server).SendAsync(Id, Letter, default))).IsFinal.ShouldBeFalse();
        server.ToRecipient = static _ => "250 OK";
        server.ToLetter = "452 No room";
        (await Should.ThrowAsync<MailException>(Transport(server).SendAsync(Id, Letter, default))).IsFinal.ShouldBeFalse();
        server.Letters.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_said_in_the_clear_where_TLS_is_asked_for()
    {
        await using SmtpServerDouble without = new();
        MailException e = await Should.ThrowAsync<MailException>(Transport(without, tls: true, user: "mailer").SendAsync(Id, Letter, default));
        e.IsFinal.ShouldBeFalse();
        without.Said.ShouldAllBe(static line => line.StartsWith("EHLO") || line.StartsWith("QUIT"));

        await using SmtpServerDouble untrusted = new(tls: true);
        await Should.ThrowAsync<MailException>(Transport(untrusted, tls: true, user: "mailer").SendAsync(Id, Letter, default));
        untrusted.Said.ShouldContain("STARTTLS");
        untrusted.Said.ShouldNotContain(static line => line.StartsWith("AUTH"));
        untrusted.Letters.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_user_and_the_password_are_given_to_a_server_that_asks()
    {
        await using SmtpServerDouble server = new();
        await Transport(server, user: "mailer").SendAsync(Id, Letter, default);
        server.Said.ShouldContain(static line => line.StartsWith("AUTH"));
        server.Said.ShouldContain("s3cret");
        server.Letters.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_server_that_is_away_or_silent_is_told_and_not_final()
    {
        MailException away = await Should.ThrowAsync<MailException>(
            new SmtpMail(new SmtpServer("127.0.0.1", FreePort.Find(), null, null, Tls: false, TimeSpan.FromSeconds(10)), From).SendAsync(Id, Letter, default));
        (away.IsFinal, away.Message.Contains("refused", StringComparison.Ordinal)).ShouldBe((false, true), away.Message);

        using System.Net.Sockets.TcpListener silent = new(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        SmtpServer server = new("127.0.0.1", ((System.Net.IPEndPoint)silent.LocalEndpoint).Port, null, null, Tls: false, TimeSpan.FromMilliseconds(200));
        (await Should.ThrowAsync<MailException>(new SmtpMail(server, From).SendAsync(Id, Letter, default))).Message.ShouldContain("did not take it within");
    }

    [Fact]
    public async Task A_folder_gets_one_whole_file_however_often_the_letter_comes()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("atrium-mail-").FullName, "mail");
        MailFolder transport = new(folder, From);
        await transport.SendAsync(Id, Letter, default);
        await transport.SendAsync(Id, Letter, default);
        string file = Directory.GetFileSystemEntries(folder).ShouldHaveSingleItem();
        Path.GetFileName(file).ShouldBe($"{Id}.eml");
        await ShouldBeTheLetterAsync(await File.ReadAllBytesAsync(file));
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_told_and_not_final()
    {
        MailException e = await Should.ThrowAsync<MailException>(new MailFolder("/proc/nowhere", From).SendAsync(Id, Letter, default));
        (e.IsFinal, e.Message.Contains("/proc/nowhere", StringComparison.Ordinal)).ShouldBe((false, true));
    }

    [Theory]
    [InlineData("smtp://user@smtp.example.com", "password", null, "smtp.example.com:587")]
    [InlineData("smtp://127.0.0.1:2525?tls=none", null, null, "127.0.0.1:2525 without TLS")]
    [InlineData("smtp://user:pw@smtp.example.com", null, "--smtp: a password in an address", null)]
    [InlineData("smtps://smtp.example.com", null, "--smtp: TLS from the first byte", null)]
    [InlineData("http://smtp.example.com", null, "--smtp: \"http\" is not known", null)]
    [InlineData("smtp.example.com", null, "--smtp: that is no address", null)]
    [InlineData("smtp://smtp.example.com?tls=maybe", null, "--smtp: \"tls=maybe\" is not known", null)]
    [InlineData("smtp://user@smtp.example.com", null, "--smtp: a user needs a password", null)]
    [InlineData("smtp://user@smtp.example.com?tls=none", "password", "--smtp: without TLS the password", null)]
    public void A_server_is_named_by_an_address_and_what_is_wrong_with_it_is_said(string address, string? password, string? problem, string? shown)
    {
        AtriumOptions options = new()
        {
            Database = "", Smtp = address, SmtpPassword = password is null ? null : new Secret(password), MailFrom = "Acme <no-reply@example.com>",
        };
        if (problem is not null)
            Should.Throw<FormatException>(() => MailSettings.Of(options)).Message.ShouldStartWith(problem);
        else
            MailSettings.Of(options).Smtp.ShouldNotBeNull().ToString().ShouldBe(shown);
        $"{options}".ShouldNotContain("Secret { ");
    }

    [Fact]
    public void Mail_needs_an_address_to_come_from_and_one_way_to_go()
    {
        AtriumOptions options = new() { Database = "", Smtp = "smtp://smtp.example.com" };
        Should.Throw<FormatException>(() => MailSettings.Of(options)).Message.ShouldStartWith("--mail-from: with --smtp");
        Should.Throw<FormatException>(() => MailSettings.Of(options with { MailFrom = "nobody" })).Message.ShouldStartWith("--mail-from: \"nobody\"");
        Should.Throw<FormatException>(() => MailSettings.Of(options with { MailFolder = "mail" })).Message.ShouldContain("name one of them");
        Should.Throw<FormatException>(() => MailSettings.Of(options with { MailFrom = "a@example.com", SmtpPasswordFile = "/nowhere" })).Message.ShouldStartWith("--smtp-password-file");
    }

    [Fact]
    public async Task The_doctor_sees_whether_a_server_is_there_and_offers_TLS()
    {
        await using SmtpServerDouble server = new(tls: true);
        SmtpServer settings = new("127.0.0.1", server.Port, null, null, Tls: true, TimeSpan.FromSeconds(10));
        (await SmtpProbe.ProblemAsync(settings, default)).ShouldBeNull();
        await using SmtpServerDouble plain = new();
        (await SmtpProbe.ProblemAsync(settings with { Port = plain.Port }, default)).ShouldBe("it does not offer STARTTLS");
        (await SmtpProbe.ProblemAsync(settings with { Port = FreePort.Find() }, default)).ShouldNotBeNull().ShouldContain("refused");
    }

    private static SmtpMail Transport(SmtpServerDouble server, bool tls = false, string? user = null) => new(
        new SmtpServer("localhost", server.Port, user, user is null ? null : new Secret("s3cret"), tls, TimeSpan.FromSeconds(10)), From);

    private static async Task ShouldBeTheLetterAsync(byte[] file)
    {
        EmlFile read = await EmlFile.ReadAsync(file, default);
        read.Subject.ShouldBe(Letter.Subject);
        read.From.ShouldBe("Acmé Ltd <no-reply@example.test>");
        read.To.ShouldBe("sam@example.test");
        read.Text.ShouldBe(Letter.Text);
        read.Html.ShouldBe(Letter.Html);
        read.Date.ShouldNotBeNull();
    }
}
