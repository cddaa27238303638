using System.Data.Common;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>What letters are written with: the realm's name, and the templates that take the place of the built-in ones.</summary>
public sealed record MailTemplates(string RealmName, IReadOnlyList<MailTemplateOverride> Overrides)
{
    public EffectiveTemplate Of(MailKind kind) => EffectiveTemplate.Of(kind, Overrides);

    public IReadOnlyDictionary<string, string> WithNames(IReadOnlyDictionary<string, string> values, string? organization) =>
        new Dictionary<string, string>(values, StringComparer.Ordinal) { ["realm.name"] = RealmName, ["organization.name"] = organization ?? "" };
}

/// <summary>Templates of mail, of realms and of organizations.</summary>
public sealed class MailTemplateStore(Database database)
{
    private const string Columns = "realm_id, organization_id, kind, subject, text, html, updated_at";

    private const string FindText =
        $"""
        SELECT name FROM realms WHERE id = @realm;
        SELECT {Columns} FROM mail_templates WHERE realm_id = @realm AND owner_id IN (@realm, @organization)
        """;

    /// <summary>Those of the realm, and of this organization if there is one.</summary>
    public Task<MailTemplates> FindAsync(Id<Realm> realm, Id<Organization>? organization, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            FindText,
            new { realm, organization },
            static async results => new MailTemplates(
                await results.ReadSingleAsync<string>(), [.. await results.ReadAsync<MailTemplateOverride>()]),
            cancellationToken);

    /// <summary>
    /// Puts a template in the place of the one that is in force, where <paramref name="mayChange"/>, which is pure, allows it: what is in force
    /// then. Null when it doesn't, or the organization is gone.
    /// </summary>
    public Task<EffectiveTemplate?> PutAsync(
        MailTemplateOverride template, Func<EffectiveTemplate, bool> mayChange, Origin origin, CancellationToken cancellationToken) =>
        ChangeAsync(
            template.RealmId,
            template.OrganizationId,
            template.Kind,
            mayChange,
            async (connection, log, before) =>
            {
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO mail_templates ({Columns}, owner_id)
                    VALUES (@RealmId, @OrganizationId, @Kind, @Subject, @Text, @Html, @UpdatedAt, {OwnerOf(template.OrganizationId)})
                    ON CONFLICT (realm_id, owner_id, kind)
                    DO UPDATE SET subject = excluded.subject, text = excluded.text, html = excluded.html, updated_at = excluded.updated_at
                    """,
                    new
                    {
                        template.RealmId, template.OrganizationId, Kind = template.Kind.ToString(), template.Subject, template.Text, template.Html, template.UpdatedAt,
                    });
                EffectiveTemplate after = EffectiveTemplate.Of(template.Kind, [template]);
                log.Add(EventDraft.Updated(
                    EventTypes.MailTemplateUpdated, SubjectOf(after), Shown(before, template.OrganizationId), Shown(after, template.OrganizationId), ResourceJson.Default.MailTemplateResource) with
                {
                    OrganizationId = template.OrganizationId,
                });
                return after;
            },
            origin,
            cancellationToken);

    /// <summary>Takes a template away, where <paramref name="mayChange"/> allows it: the one that was there. Null when it doesn't, or there was none.</summary>
    public Task<EffectiveTemplate?> DeleteAsync(
        Id<Realm> realm, Id<Organization>? organization, MailKind kind, Func<EffectiveTemplate, bool> mayChange, Origin origin, CancellationToken cancellationToken) =>
        ChangeAsync(
            realm,
            organization,
            kind,
            mayChange,
            async (connection, log, before) =>
            {
                int deleted = await connection.ExecuteAsync(
                    $"DELETE FROM mail_templates WHERE realm_id = @realm AND owner_id = {OwnerOf(organization, "realm", "organization")} AND kind = @kind",
                    new { realm, organization, kind = kind.ToString() });
                if (deleted == 0)
                    return null;
                log.Add(EventDraft.Of(EventTypes.MailTemplateDeleted, SubjectOf(before), Shown(before, organization), ResourceJson.Default.MailTemplateResource) with
                {
                    OrganizationId = organization,
                });
                return before;
            },
            origin,
            cancellationToken);

    private static string OwnerOf(Id<Organization>? organization, string realmName = "RealmId", string organizationName = "OrganizationId") =>
        organization is null ? $"@{realmName}" : $"@{organizationName}";

    private static string SubjectOf(EffectiveTemplate template) => JsonNamingPolicy.SnakeCaseLower.ConvertName(template.Kind.ToString());

    private static MailTemplateResource Shown(EffectiveTemplate template, Id<Organization>? organization) =>
        MailTemplateResource.Of(template, organization is null ? MailTemplateSource.Realm : MailTemplateSource.Organization);

    private Task<EffectiveTemplate?> ChangeAsync(
        Id<Realm> realm,
        Id<Organization>? organization,
        MailKind kind,
        Func<EffectiveTemplate, bool> mayChange,
        Func<DbConnection, EventLog, EffectiveTemplate, Task<EffectiveTemplate?>> change,
        Origin origin,
        CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (organization is { } of && await OrganizationStore.LockAsync(database, connection, realm, of) is null)
                    return null;
                EffectiveTemplate before = EffectiveTemplate.Of(
                    kind,
                    await connection.QueryAsync<MailTemplateOverride>(
                        $"SELECT {Columns} FROM mail_templates WHERE realm_id = @realm AND owner_id IN (@realm, @organization) AND kind = @kind",
                        new { realm, organization, kind = kind.ToString() }));
                return mayChange(before) ? await change(connection, log, before) : null;
            },
            cancellationToken);
}
