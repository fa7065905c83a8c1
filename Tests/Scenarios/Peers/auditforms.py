"""Checks lines of audit messages: `dicom` by the schema of PS3.15 A.5.1, `fhir` by the R4 definitions and BALP's rules.

The last line of output is JSON: how many there were, and what is wrong with those that are not good."""
import json
import sys

SCHEMA = '''
datatypes xsd = "http://www.w3.org/2001/XMLSchema-datatypes"
csd = attribute codeSystemName { token }, attribute displayName { token }?, attribute originalText { token }
Coded = attribute csd-code { token }, csd
Event = element EventID { Coded }, element EventTypeCode { Coded }*,
  attribute EventActionCode { "C" | "R" | "U" | "D" | "E" }?, attribute EventDateTime { xsd:dateTime },
  attribute EventOutcomeIndicator { "0" | "4" | "8" | "12" }, element EventOutcomeDescription { text }?
Source = attribute AuditEnterpriseSiteID { token }?, attribute AuditSourceID { token },
  element AuditSourceTypeCode {
    attribute csd-code { "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | token }, (csd)? }*
Participant = element RoleIDCode { Coded }*, element MediaIdentifier { element MediaType { Coded } }?,
  attribute UserID { text }, attribute AlternativeUserID { text }?, attribute UserName { text }?,
  attribute UserIsRequestor { xsd:boolean }, attribute NetworkAccessPointID { token }?,
  attribute NetworkAccessPointTypeCode { "1" | "2" | "3" | "4" | "5" }?
Pair = attribute type { token }, attribute value { xsd:base64Binary }
Description = element MPPS { attribute UID { token } }*, element Accession { attribute Number { token } }*,
  element SOPClass { element Instance { attribute UID { token } }*, attribute UID { token }?,
    attribute NumberOfInstances { xsd:integer } }*,
  element ParticipantObjectContainsStudy { element StudyIDs { attribute UID { token } }* }?,
  element Encrypted { xsd:boolean }?, element Anonymized { xsd:boolean }?
Object = element ParticipantObjectIDTypeCode { Coded },
  (element ParticipantObjectName { token } | element ParticipantObjectQuery { xsd:base64Binary }),
  element ParticipantObjectDetail { Pair }*, element ParticipantObjectDescription { Description }*,
  attribute ParticipantObjectID { token }, attribute ParticipantObjectTypeCode { "1" | "2" | "3" | "4" }?,
  attribute ParticipantObjectTypeCodeRole { ROLES }?, attribute ParticipantObjectDataLifeCycle { CYCLES }?,
  attribute ParticipantObjectSensitivity { token }?
start = element AuditMessage {
  (element EventIdentification { Event }, element ActiveParticipant { Participant }+,
   element AuditSourceIdentification { Source }, element ParticipantObjectIdentification { Object }*) }
'''.replace('ROLES', ' | '.join(f'"{n}"' for n in range(1, 27))).replace(
    'CYCLES', ' | '.join(f'"{n}"' for n in range(1, 16)))


def dicom(lines):
    import lxml.etree
    import rnc2rng
    schema = lxml.etree.RelaxNG(lxml.etree.fromstring(rnc2rng.dumps(rnc2rng.loads(SCHEMA)).encode()))
    # The schema must be able to refuse.
    assert not schema.validate(lxml.etree.fromstring('<AuditMessage/>'))
    for line in lines:
        message = lxml.etree.fromstring(line.encode())
        if not schema.validate(message):
            yield f'{schema.error_log.last_error}: {line}'
        elif not message.findall('ActiveParticipant'):
            yield f'nobody took part: {line}'


DCM = 'http://dicom.nema.org/resources/ontology/DCM'
CUSTODIAN = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type'
SOURCE, DESTINATION = (DCM, '110153'), (DCM, '110152')
# By BALP's pattern: interaction, action, type of the client's and of the server's agent.
PATTERNS = {
    'Create': ('create', 'C', SOURCE, DESTINATION), 'Read': ('read', 'R', DESTINATION, SOURCE),
    'Update': ('update', 'U', SOURCE, DESTINATION), 'Delete': ('delete', 'D', (DCM, '110150'), (CUSTODIAN, 'custodian')),
    'Query': ('search-type', 'E', SOURCE, DESTINATION),
}


def balp(event):
    """What breaks the pattern that an event says it follows."""
    name = event['meta']['profile'][0].rsplit('.', 1)[1]
    interaction, action, client, server = PATTERNS[name.removeprefix('Patient')]
    types = [(e['type']['code'], e.get('role', {}).get('code')) for e in event['entity']]
    if event['type']['code'] != 'rest' or event['action'] != action or event['outcome'] != '0':
        yield 'type, action or outcome'
    if ('http://hl7.org/fhir/restful-interaction', interaction) not in {(s['system'], s['code']) for s in event['subtype']}:
        yield 'subtype'
    for wanted in (client, server):
        found = [a for a in event['agent']
                 if wanted in {(c['system'], c['code']) for c in a.get('type', {}).get('coding', [])}]
        if len(found) != 1 or 'who' not in found[0] or 'network' not in found[0]:
            yield f'agent {wanted}'
    if name.startswith('Patient') != (('1', '1') in types):
        yield 'patient'
    if sum(kind == '2' for kind, _ in types) != 1:
        yield 'data'
    for entity in event['entity']:
        if entity['type']['code'] == '1' and entity['what'].get('type') != 'Patient':
            yield 'patient is none'
        if name.endswith('Query') and entity['type']['code'] == '2':
            if entity['role']['code'] != '24' or 'query' not in entity or 'what' in entity or 'detail' in entity:
                yield 'query'


def fhir(lines):
    from fhir.resources.R4B.auditevent import AuditEvent as Checked
    from fhirclient.models.auditevent import AuditEvent
    for line in lines:
        event = json.loads(line)
        try:
            AuditEvent(event, strict=True)
            Checked.model_validate(event)
        except Exception as error:
            yield f'{error}: {line}'
            continue
        for what in balp(event) if 'meta' in event else ():
            yield f'{what}: {line}'


kind, path = sys.argv[1:]
lines = open(path, encoding='utf-8', newline='\n').read().split('\n')[:-1]
wrong = list({'dicom': dicom, 'fhir': fhir}[kind](lines))
patterns = sorted({json.loads(line)['meta']['profile'][0].rsplit('.', 1)[1] for line in lines
                   if kind == 'fhir' and 'meta' in json.loads(line)})
print(json.dumps({'count': len(lines), 'wrong': wrong[:5], 'patterns': patterns}))
