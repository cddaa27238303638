using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.MailTemplates;

/// <summary>
/// <c>/mail-templates</c> and <c>/organizations/{id}/mail-templates</c>: what mail is written with. An organization's template stands before the
/// realm's, and that before the built-in one.
/// </summary>
public static class MailTemplatesEndpoints
{
    private static readonly Field<string> Subject = Field.Text("subject", max: MailKindRules.MaxSubjectLength)
        .Describe("One line, with placeholders such as `{{organization.name}}`.");

    private static readonly Field<string> Text = Field.Text("text", max: MailKindRules.MaxTextLength).Describe("What is read where no HTML shows.");

    private static readonly Field<string> Html = Field.Text("html", max: MailKindRules.MaxHtmlLength).Describe("HTML; values come into it escaped.");

    private static readonly (Field<string> Subject, Field<string> Text, Field<string> Html) Needed = (Subject.Required(), Text.Required(), Html.Required());

    private static readonly Shape Template = new(Needed.Subject, Needed.Text, Needed.Html);

    /// <summary>What is not said is what is in force.</summary>
    private static readonly Shape Draft = new(Subject, Text, Html);

    public static void MapMailTemplates(this RouteGroupBuilder realm)
    {
        Map(realm.MapGroup("/mail-templates").WithTags("Mail templates"), "the realm");
        Map(realm.MapGroup("/organizations/{organization}/mail-templates").WithTags("Mail templates"), "an organization");
    }

    private static void Map(RouteGroupBuilder templates, string owner)
    {
        templates.MapGet("", ListAsync).Needs(ApiScopes.MailRead).WithSummary($"Lists the templates in force in {owner}.").AnswersMany<MailTemplateResource>();
        templates.MapGet("/{kind}", GetAsync).Needs(ApiScopes.MailRead).WithSummary($"Shows the template in force in {owner}.").AnswersOne<MailTemplateResource>();
        templates.MapPut("/{kind}", PutAsync).Needs(ApiScopes.MailWrite).Reads(Template).WithSummary($"Writes a template of {owner}'s own.").AnswersOne<MailTemplateResource>();
        templates.MapDelete("/{kind}", DeleteAsync).Needs(ApiScopes.MailWrite).WithSummary($"Deletes the template of {owner}'s own; the one behind it is in force then.").AnswersNothing();
        templates.MapPost("/{kind}/preview", PreviewAsync).Needs(ApiScopes.MailRead).Reads(Draft)
            .WithSummary("Shows a letter with made-up names, written with the template in force, or with a draft.").AnswersOne<MailPreviewResource>();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, OrganizationStore organizations, MailTemplateStore store, CancellationToken cancellationToken)
    {
        if (await PlaceAsync(context, organizations, cancellationToken) is not { } place)
            return ManagementError.NotFound;
        Storage.MailTemplates found = await store.FindAsync(place.Realm, place.Organization?.Id, cancellationToken);
        return new Many<MailTemplateResource>(
            Enum.GetValues<MailKind>().Where(place.Has).Select(kind => MailTemplateResource.Of(found.Of(kind), place.Owner)),
            ResourceJson.Default.MailTemplateResource,
            hasMore: false,
            nextCursor: null);
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, string kind, OrganizationStore organizations, MailTemplateStore store, CancellationToken cancellationToken) =>
        await PlaceAsync(context, organizations, cancellationToken) is { } place && place.KindOf(kind) is { } known
            ? Shown((await store.FindAsync(place.Realm, place.Organization?.Id, cancellationToken)).Of(known), place)
            : ManagementError.NotFound;

    private static async Task<IResult> PutAsync(
        HttpContext context, string kind, OrganizationStore organizations, MailTemplateStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await PlaceAsync(context, organizations, cancellationToken) is not { } place || place.KindOf(kind) is not { } known)
            return ManagementError.NotFound;
        MailTemplateOverride template = new()
        {
            RealmId = place.Realm,
            OrganizationId = place.Organization?.Id,
            Kind = known,
            Subject = body.Of(Needed.Subject)!,
            Text = body.Of(Needed.Text)!,
            Html = body.Of(Needed.Html)!,
            UpdatedAt = clock.GetUtcNow(),
        };
        if (ProblemsOf(known, template.Template) is { Count: > 0 } problems)
            return ManagementError.Unprocessable(problems);
        IfMatch ifMatch = IfMatch.Of(context.Request);
        bool changed = false;
        EffectiveTemplate? written = await store.PutAsync(
            template,
            current => !(changed = !ifMatch.Allows(MailTemplateResource.Of(current, place.Owner), ResourceJson.Default.MailTemplateResource)),
            context.Origin(),
            cancellationToken);
        return written is not null ? Shown(written, place) : changed ? ManagementError.PreconditionFailed : ManagementError.NotFound;
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string kind, OrganizationStore organizations, MailTemplateStore store, CancellationToken cancellationToken)
    {
        if (await PlaceAsync(context, organizations, cancellationToken) is not { } place || place.KindOf(kind) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        EffectiveTemplate? deleted = await store.DeleteAsync(
            place.Realm,
            place.Organization?.Id,
            known,
            current => deletion.Allows(MailTemplateResource.Of(current, place.Owner), ResourceJson.Default.MailTemplateResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted is not null);
    }

    private static async Task<IResult> PreviewAsync(
        HttpContext context, string kind, OrganizationStore organizations, MailTemplateStore store, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await PlaceAsync(context, organizations, cancellationToken) is not { } place || place.KindOf(kind) is not { } known)
            return ManagementError.NotFound;
        Storage.MailTemplates found = await store.FindAsync(place.Realm, place.Organization?.Id, cancellationToken);
        MailTemplate inForce = found.Of(known).Template;
        MailTemplate draft = new(body.Of(Subject) ?? inForce.Subject, body.Of(Text) ?? inForce.Text, body.Of(Html) ?? inForce.Html);
        if (ProblemsOf(known, draft) is { Count: > 0 } problems)
            return ManagementError.Unprocessable(problems);

        // A layout shows around something: an invitation.
        (MailTemplate inner, MailTemplate layout, MailKind shown) = known == MailKind.Layout
            ? (found.Of(MailKind.Invitation).Template, draft, MailKind.Invitation)
            : (draft, found.Of(MailKind.Layout).Template, known);
        Letter letter = Letter.Write(
            "sam@example.com", inner, layout, found.WithNames(MailKindRules.Of(shown).Samples, place.Organization?.Name ?? "Northwind"));
        return new One<MailPreviewResource>(new MailPreviewResource(letter.Subject, letter.Text, letter.Html), ResourceJson.Default.MailPreviewResource);
    }

    private static List<Problem> ProblemsOf(MailKind kind, MailTemplate template) =>
        [.. MailKindRules.Of(kind).Check(template).Select(static problem => new Problem($"/{problem.Field}", $"/{problem.Field}: {problem.Message}"))];

    private static One<MailTemplateResource> Shown(EffectiveTemplate template, Place place) =>
        new(MailTemplateResource.Of(template, place.Owner), ResourceJson.Default.MailTemplateResource);

    private static async Task<Place?> PlaceAsync(HttpContext context, OrganizationStore organizations, CancellationToken cancellationToken)
    {
        Id<Realm> realm = context.Caller().Realm;
        if (context.Request.RouteValues["organization"] is not string organization)
            return new Place(realm, null);
        return Id<Organization>.Parse(organization) is { } known && await organizations.FindAsync(realm, known, cancellationToken) is { } found
            ? new Place(realm, found)
            : null;
    }

    /// <summary>Whose templates the request is about.</summary>
    private sealed record Place(Id<Realm> Realm, Organization? Organization)
    {
        public MailTemplateSource Owner => Organization is null ? MailTemplateSource.Realm : MailTemplateSource.Organization;

        public bool Has(MailKind kind) => Organization is null || MailKindRules.Of(kind).OfOrganizations;

        /// <summary>The kind of that word, if there are templates of it here.</summary>
        public MailKind? KindOf(string word)
        {
            foreach (MailKind kind in Enum.GetValues<MailKind>())
            {
                if (JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()) == word && Has(kind))
                    return kind;
            }

            return null;
        }
    }
}
