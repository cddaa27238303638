using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Mail;

/// <summary>Templates as a back end reads and writes them. Each test writes to its own organization, or takes back what it wrote in the realm.</summary>
public abstract class MailTemplateTests(DemoServer server)
{
    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);

    private static readonly object Short = new { subject = "Join {{organization.name}}", text = "Go to {{link}}", html = "<p>Go to <a href=\"{{link}}\">{{organization.name}}</a></p>" };

    [Fact]
    public async Task The_template_in_force_is_the_organizations_then_the_realms_then_the_built_in_one()
    {
        Organization organization = await OrganizationAsync();
        string own = $"/organizations/{organization.Id}/mail-templates/invitation";
        (await StateAsync(own)).ShouldBe(("built_in", false));
        (await api.PutAsync("/mail-templates/invitation", Short)).Expect(200)["source"].ShouldBe("realm");
        (await StateAsync(own)).ShouldBe(("realm", false));
        (await StateAsync("/mail-templates/invitation")).ShouldBe(("realm", true));
        (await api.PutAsync(own, Short)).Expect(200)["source"].ShouldBe("organization");
        (await StateAsync(own)).ShouldBe(("organization", true));
        (await api.DeleteAsync(own)).Expect(204);
        (await api.DeleteAsync(own)).Expect(404, "not_found");
        (await StateAsync(own)).ShouldBe(("realm", false));
        (await api.DeleteAsync("/mail-templates/invitation")).Expect(204);
        (await StateAsync(own)).ShouldBe(("built_in", false));
        (await api.GetAsync($"/events?types=mail_template.*&organization_id={organization.Id}")).Items.Select(static item => item.GetProperty("type").GetString())
            .ShouldBe(["mail_template.deleted", "mail_template.updated"]);
    }

    [Fact]
    public async Task The_next_letter_is_written_with_it_in_the_layout_of_the_organization()
    {
        Organization organization = await OrganizationAsync();
        string path = $"/organizations/{organization.Id}/mail-templates";
        (await api.PutAsync($"{path}/invitation", Short)).Expect(200);
        (await api.PutAsync($"{path}/layout", new { subject = "[{{realm.name}}] {{content}}", text = "{{content}}\n-- {{organization.name}}", html = "<main>{{content}}</main>" })).Expect(200);
        string address = ResourceCalls.UniqueEmail();
        (await api.PostAsync($"/organizations/{organization.Id}/invitations", new { email_invited = address, scopes = new[] { "member" } })).Expect(201);
        Server.Demo.EmlFile letter = await mailbox.NewestAsync(address);
        letter.Subject.ShouldBe($"[Acme] Join {organization.Name}");
        letter.Text.ShouldEndWith($"-- {organization.Name}");
        letter.Html.ShouldStartWith("<main><p>Go to <a href=\"http");
    }

    [Fact]
    public async Task What_is_wrong_with_a_template_is_pointed_at_and_nothing_is_written()
    {
        Organization organization = await OrganizationAsync();
        string path = $"/organizations/{organization.Id}/mail-templates/invitation";
        ManagementAnswer wrong = await api.PutAsync(path, new { subject = "{{organisation.name}}", text = "no link", html = "{{#link}}unended" });
        wrong.Expect(422, "unprocessable").WrongFields.ShouldBe(["/subject", "/text", "/html"]);
        wrong.Text.ShouldContain("There is no {{organisation.name}} here");
        (await api.PutAsync(path, new { subject = "x", text = "{{link}}" })).Expect(422).WrongFields.ShouldBe(["/html"]);
        (await api.PutAsync(path, new { subject = "a\r\nBcc: b@example.test", text = "{{link}}", html = "{{link}}" })).Expect(422).WrongFields.ShouldBe(["/subject"]);
        (await StateAsync(path)).ShouldBe(("built_in", false));
    }

    [Fact]
    public async Task A_preview_shows_a_draft_or_what_is_in_force_with_made_up_names()
    {
        Organization organization = await OrganizationAsync();
        string path = $"/organizations/{organization.Id}/mail-templates";
        ManagementAnswer inForce = (await api.PostAsync($"{path}/invitation/preview")).Expect(200);
        inForce["subject"].ShouldBe($"Mia Moreno invites you to {organization.Name}");
        inForce["text"]!.ShouldContain("SAMPLE");
        inForce["html"]!.ShouldStartWith("<!DOCTYPE html>");
        ManagementAnswer draft = (await api.PostAsync($"{path}/invitation/preview", new { subject = "Draft for {{invitation.email}}" })).Expect(200);
        draft["subject"].ShouldBe("Draft for sam@example.com");
        draft["text"].ShouldBe(inForce["text"]);
        ManagementAnswer layout = (await api.PostAsync($"{path}/layout/preview", new { html = "<main>{{content}}</main>" })).Expect(200);
        layout["html"]!.ShouldStartWith("<main><h1>Join");
        (await api.PostAsync($"{path}/layout/preview", new { html = "<main></main>" })).Expect(422).WrongFields.ShouldBe(["/html"]);
        (await api.PostAsync("/mail-templates/email_verification/preview")).Expect(200)["subject"].ShouldBe("042731 is your code for Acme");
        (await StateAsync($"{path}/invitation")).ShouldBe(("built_in", false));
    }

    [Fact]
    public async Task A_stale_writer_is_told()
    {
        Organization organization = await OrganizationAsync();
        string path = $"/organizations/{organization.Id}/mail-templates/invitation";
        string read = (await api.GetAsync(path)).ETag;
        ManagementAnswer written = (await api.PutAsync(path, Short, ("If-Match", read))).Expect(200);
        written.ETag.ShouldBe((await api.GetAsync(path)).ETag);
        (await api.PutAsync(path, Short, ("If-Match", read))).Expect(412, "precondition_failed");
        (await api.DeleteAsync(path, ("If-Match", read))).Expect(412, "precondition_failed");
        (await api.DeleteAsync(path, ("If-Match", written.ETag))).Expect(204);
    }

    [Fact]
    public async Task Kinds_organizations_and_realms_that_are_not_there_are_not_found()
    {
        Organization organization = await OrganizationAsync();
        (await api.GetAsync($"/organizations/{organization.Id}/mail-templates")).Expect(200).Items.Select(static item => item.GetProperty("kind").GetString())
            .ShouldBe(["layout", "invitation"]);
        (await api.GetAsync("/mail-templates")).Expect(200).Items.Select(static item => item.GetProperty("kind").GetString())
            .ShouldBe(["layout", "invitation", "email_verification", "sign_up", "sign_up_existing", "password_reset", "password_changed", "factor_added"]);
        (await api.GetAsync($"/organizations/{organization.Id}/mail-templates/email_verification")).Expect(404, "not_found");
        (await api.GetAsync("/mail-templates/Invitation")).Expect(404, "not_found");
        (await api.PutAsync("/mail-templates/nothing", Short)).Expect(404, "not_found");
        (await api.Globex.GetAsync($"/organizations/{organization.Id}/mail-templates")).Expect(404, "not_found");
        (await api.Globex.PutAsync($"/organizations/{organization.Id}/mail-templates/invitation", Short)).Expect(404, "not_found");
        ManagementCalls reader = api.With(await world.NewKeyAsync(null, ApiScopes.MailRead));
        (await reader.GetAsync("/mail-templates")).Expect(200);
        (await reader.PutAsync("/mail-templates/invitation", Short)).Expect(403, "insufficient_scope");
        (await reader.DeleteAsync("/mail-templates/invitation")).Expect(403, "insufficient_scope");
    }

    private Task<Organization> OrganizationAsync() => world.NewOrganizationAsync(ResourceCalls.Unique("templated"));

    private async Task<(string? Source, bool Overridden)> StateAsync(string path)
    {
        JsonElement shown = (await api.GetAsync(path)).Expect(200).Data;
        return (shown.GetProperty("source").GetString(), shown.GetProperty("overridden").GetBoolean());
    }
}

public sealed class SqliteMailTemplateTests(DemoServer server) : MailTemplateTests(server), IClassFixture<DemoServer>;

public sealed class PostgresMailTemplateTests(PostgresDemoServer server) : MailTemplateTests(server), IClassFixture<PostgresDemoServer>;
